"""A server over stdio that does what a call's name says, the worst included: `python stdio_child.py BEGINNING...`.

Its beginning is one or several words: `legacy`, `modern`, `both` (what it answers to), `mute` (reads and says
nothing), `chatty` (prints lines that are no messages, and answers), `gone` (ends at once), `gone-at-probe`,
`undiscovered` (a modern one that does not know `server/discover`), `once FILE` (ends at once where the file is
there, else makes it). Only the standard library is needed.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

MODERN = "2026-07-28"
ELICITATION = {"message": "Which?", "requestedSchema": {"type": "object", "properties": {}}}


class Child:
    """The server; `seen` is every message that it got."""

    def __init__(self, beginning: list[str]) -> None:
        self.words = set(beginning)
        self.seen: list[dict[str, Any]] = []
        self.held: list[dict[str, Any]] = []
        self.asked_by: dict[Any, Any] = {}
        self.version = ""

    def say(self, message: dict[str, Any]) -> None:
        self.print(json.dumps({"jsonrpc": "2.0", **message}))

    def print(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def answer(self, request: dict[str, Any], text: str) -> None:
        result: dict[str, Any] = {"content": [{"type": "text", "text": text}]}
        if self.version == MODERN:
            result["resultType"] = "complete"
        self.say({"id": request["id"], "result": result})

    def serve(self) -> None:
        for line in sys.stdin:
            message = json.loads(line)
            self.seen.append(message)
            if "mute" in self.words:
                continue
            if "method" not in message:
                self.answered(message)
            elif "id" in message:
                self.request(message)
            elif message["method"] == "notifications/cancelled":
                self.cancelled(message["params"]["requestId"])

    def request(self, message: dict[str, Any]) -> None:
        method, params = message["method"], message.get("params", {})
        if method == "server/discover" and "gone-at-probe" in self.words:
            sys.exit(4)
        if method == "server/discover" and self.words & {"modern", "both"} and "undiscovered" not in self.words:
            self.version = MODERN
            info = {"io.modelcontextprotocol/serverInfo": {"name": "child", "version": "1"}}
            result = {"supportedVersions": [MODERN], "capabilities": {"tools": {}}, "_meta": info}
            self.say({"id": message["id"], "result": {"resultType": "complete", **result}})
        elif method == "initialize" and "modern" not in self.words and not self.version:
            self.version = "2025-11-25"
            about = {"capabilities": {"tools": {}}, "serverInfo": {"name": "child", "version": "1"}}
            self.say({"id": message["id"], "result": {"protocolVersion": self.version, **about}})
        elif method in {"ping", "resources/subscribe", "resources/unsubscribe"}:
            self.say({"id": message["id"], "result": {}})
        elif method == "subscriptions/listen":
            self.listen(message)
        elif method == "tools/call":
            getattr(self, "do_" + params["name"])(message, params.get("arguments", {}))
        else:
            self.say({"id": message["id"], "error": {"code": -32601, "message": f"no {method}"}})

    def answered(self, message: dict[str, Any]) -> None:
        """An answer to a question of ours ends the call for which it was asked."""
        request = self.asked_by.pop(message["id"])
        self.answer(request, json.dumps(message.get("result", message.get("error"))))

    def cancelled(self, number: Any) -> None:
        for request in [one for one in self.held if one["id"] == number]:
            self.held.remove(request)
            if request["params"]["name"] == "late":
                self.answer(request, "too late")

    def listen(self, message: dict[str, Any]) -> None:
        meta = {"io.modelcontextprotocol/subscriptionId": message["id"]}
        for method in ("subscriptions/acknowledged", "tools/list_changed"):
            self.say({"method": f"notifications/{method}", "params": {"_meta": meta}})
        self.say({"id": message["id"], "result": {"resultType": "complete", "_meta": meta}})

    # Tools.

    def do_echo(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        self.answer(request, arguments.get("text", ""))

    def do_seen(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        self.answer(request, json.dumps(self.seen))

    def do_environment(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        self.answer(request, json.dumps(dict(os.environ)))

    def do_hold(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        """Answered by `release`."""
        self.held.append(request)

    do_late = do_hold

    def do_release(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        for one in self.held:
            self.answer(one, one["params"].get("arguments", {}).get("text", ""))
        self.held.clear()
        self.answer(request, "released")

    def do_progress(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        token = request["params"]["_meta"]["progressToken"]
        for step in (1, 2):
            self.say({"method": "notifications/progress", "params": {"progressToken": token, "progress": step}})
        self.answer(request, json.dumps(token))

    def do_log(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        self.say({"method": "notifications/message", "params": {"level": "info", "data": arguments.get("text", "")}})
        self.answer(request, "logged")

    def do_change(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        self.say({"method": "notifications/tools/list_changed"})
        for uri in arguments.get("uris", []):
            self.say({"method": "notifications/resources/updated", "params": {"uri": uri}})
        self.answer(request, "changed")

    def do_ask(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        number = len(self.seen)
        self.asked_by[number] = request
        self.say({"id": number, "method": arguments.get("method", "elicitation/create"), "params": ELICITATION})

    def do_crash(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        sys.stderr.write(f"Fatal: {arguments.get('text', '')}")  # and no end of the line
        sys.stderr.flush()
        os._exit(3)

    def do_wait(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        """Answered after a while, during which others are."""

        def answer() -> None:
            self.answer(request, "waited")

        threading.Timer(arguments["seconds"], answer).start()

    def do_hang(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        while True:
            time.sleep(60)

    def do_flood(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        """One line of so many bytes: `head` and `tail` as they are, and letters between."""
        left = arguments["bytes"]
        number = str(request["id"])
        sys.stdout.write(arguments.get("head", "").replace("ID", number))
        while left > 0:
            sys.stdout.write("x" * min(left, 1 << 20))
            left -= 1 << 20
        self.print(arguments.get("tail", "").replace("ID", number))
        if arguments.get("answers"):
            self.answer(request, "flooded")

    def do_garbage(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        wrong = b'Hello!|{|[]|null|7|{"jsonrpc": "1.0", "id": 1}|{"jsonrpc": "2.0"}|\x00\x01 \xff'
        sys.stdout.buffer.write(wrong.replace(b"|", b"\n") + b"\n")
        sys.stdout.flush()
        self.answer(request, "after garbage")

    def do_twice(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        self.answer(request, "first")
        self.answer(request, "second")
        self.say({"id": request["id"] + 1, "result": {"content": [{"type": "text", "text": "foretold"}]}})

    def do_fork(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        """A process in a session of its own, whose parent ends at once; it holds our pipes and goes on for ever."""
        read, write = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.write(write, str(os.getpid()).encode())
                os.close(write)
                while True:
                    time.sleep(60)
            os._exit(0)
        os.close(write)
        self.answer(request, os.read(read, 20).decode())

    def do_tell(self, request: dict[str, Any], arguments: dict[str, Any]) -> None:
        sys.stderr.write(arguments["text"] + "\n")
        sys.stderr.flush()
        self.answer(request, "told")


def main() -> None:
    beginning = sys.argv[1:]
    if "once" in beginning:
        mark = Path(beginning[beginning.index("once") + 1])
        if mark.exists():
            sys.exit(5)
        mark.touch()
    if "gone" in beginning:
        sys.stderr.write("I will not.\n")
        sys.exit(5)
    child = Child(beginning)
    if "chatty" in beginning:
        child.print("Starting the server ...")
    child.serve()


if __name__ == "__main__":
    main()
