"""Asks: one question for each contract, and only what the model says in the form that was wanted."""
import json
import os
import urllib.request

QUESTION = """You audit smart contracts. Name what is wrong with this one, as JSON: a list of {"line": number, "kind": word},
where kind is one of reentrancy, access, overflow, denial, origin, randomness, unchecked, delegatecall. Say nothing else.

File: %s
%s"""


def audit():
    findings = []
    for name in sorted(os.listdir(".")):
        with open(name) as file:
            text = "\n".join(f"{number}: {line}" for number, line in enumerate(file.read().splitlines(), 1))
        for found in parsed(ask(QUESTION % (name, text))):
            findings.append({"file": name, "line": found.get("line"), "kind": found.get("kind")})
    return findings


def ask(question):
    body = {"model": "auditor", "messages": [{"role": "user", "content": question}], "max_tokens": 500, "temperature": 0}
    headers = {"content-type": "application/json", "authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
    request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]


def parsed(text):
    """The list in an answer; models like to wrap it in a block of code."""
    try:
        found = json.loads(text[text.index("[") : text.rindex("]") + 1])
        return [one for one in found if isinstance(one, dict)]
    except ValueError:
        return []
