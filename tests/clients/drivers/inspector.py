"""Drives the Inspector's command line: list the tools, call one, print one line of JSON.

Arguments: URL TOKEN TOOL ARGUMENTS-AS-JSON [legacy|auto|modern]. The Inspector does not tell which version it
agreed on, so `protocol` is the era that it was told to speak. Run by `tests.clients.real_clients`.
"""

import json
import pathlib
import subprocess
import sys

TOOLS = pathlib.Path(__file__).resolve().parents[3] / ".tools"
INSPECTOR = (str(TOOLS / "bin" / "node"), str(TOOLS / "npm" / "node_modules" / ".bin" / "mcp-inspector"))


def ask(url: str, token: str, era: str, *words: str) -> dict:
    header = f"Authorization: Bearer {token}"
    command = (*INSPECTOR, "--cli", url, "--transport", "http", "--protocol-era", era, "--header", header, *words)
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    if done.returncode != 0:
        sys.exit(f"inspector: {done.stderr.decode()} {done.stdout.decode()}")
    return json.loads(done.stdout)


def main(url: str, token: str, tool: str, arguments: str, era: str = "legacy") -> None:
    listed = ask(url, token, era, "--method", "tools/list", "--quiet")
    call = ("--method", "tools/call", "--tool-name", tool, "--tool-args-json", arguments, "--quiet")
    result = ask(url, token, era, *call)
    print(json.dumps({"protocol": era, "tools": [one["name"] for one in listed["tools"]], "result": result}))


main(*sys.argv[1:])
