"""A provider that is none: it answers by a file, so that the examples run without a network, a key or a bill.

    python3 examples/mock.py examples/audit/answers.json [PORT]

The file has words of questions and the answers to them; any other question is answered with "yes".
"""
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.say({"object": "list", "data": []})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        question = body["messages"][-1]["content"]
        answer = next((answer for words, answer in ANSWERS.items() if words in question), "yes")
        choice = {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
        usage = {"prompt_tokens": len(question) // 4, "completion_tokens": len(answer) // 4}
        self.say({"object": "chat.completion", "model": body["model"], "choices": [choice], "usage": usage})

    def say(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


with open(sys.argv[1]) as file:
    ANSWERS = json.load(file)
port = int(sys.argv[2]) if len(sys.argv) > 2 else 8400
print(f"answers at http://127.0.0.1:{port}/v1 until it is interrupted", flush=True)
ThreadingHTTPServer(("127.0.0.1", port), Provider).serve_forever()
