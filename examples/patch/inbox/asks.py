"""Asks: gives the problem and the files to a model, in the protocol of Ridges' network, and hands on the diff that it writes."""
import json
import os
import urllib.request

QUESTION = "%s\n\n%s\n\nAnswer with a unified diff in a block of code, and nothing else."


def agent_main(input):
    files = []
    for name in sorted(os.listdir(".")):
        with open(name) as file:
            files.append(f"--- {name} ---\n{file.read()}")
    answer = ask(QUESTION % (input["problem_statement"], "\n".join(files)))
    block = answer.split("```")
    return block[1].partition("\n")[2] if len(block) > 1 else answer


def ask(question):
    body = {"model": "coder", "temperature": 0.0, "messages": [{"role": "user", "content": question}]}
    body["evaluation_run_id"] = os.environ["EVALUATION_RUN_ID"]
    url = os.environ["SANDBOX_PROXY_URL"] + "/api/inference"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["content"]


def call(source, name, args):
    module = {}
    exec(source, module)
    return module[name](*args)
