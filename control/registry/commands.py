"""Whether a text that is no URL is a command that starts a server, and what to do with one.

Most instructions for MCP servers give a command for a desktop client (`npx -y ...`); people paste it where the URL
belongs. Called by `entry_rules.py` for a URL that was refused, and by the models of the admin API for a value that is
no text. Pure; runs nothing and looks at no file.
"""

import re
from typing import Final

SENTENCE: Final = (
    "is a command that starts a server, not a URL; leave the URL out and have Archway run the command: "
    '`--run-command \'npx -y PACKAGE@VERSION\'`, or in JSON `"run": {"command": [...]}` '
    '(page "Servers that Archway runs", docs/administering/servers-we-run.md)'
)

_OF_NODE: Final = ("npx", "npm", "pnpm", "pnpx", "yarn", "bunx", "bun", "deno", "node")
_OF_PYTHON: Final = ("uvx", "uv", "pipx", "pip", "python", "py")
_OF_CONTAINERS: Final = ("docker", "podman", "nerdctl")
_OF_OTHERS: Final = ("java", "dotnet", "go", "cargo", "ruby", "bundle", "php", "perl")
_SHELLS: Final = ("bash", "sh", "zsh", "cmd", "powershell", "pwsh", "env", "sudo", "ssh", "wsl")
_PROGRAMS: Final = frozenset((*_OF_NODE, *_OF_PYTHON, *_OF_CONTAINERS, *_OF_OTHERS, *_SHELLS))
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=\S*")
_VERSION_OR_ENDING = re.compile(r"(?:[\d.]+)?(?:\.(?:exe|cmd|bat))?$", re.IGNORECASE)
_SCHEME = re.compile(r"(?:stdio|command|cmd|exec|file|npm|npx|pypi|uvx|docker|oci):", re.IGNORECASE)
_PATH = re.compile(r"(?:\.{0,2}/|~[\w.-]*/|\.{0,2}\\|[A-Za-z]:\\)[^/\\]")
_SCRIPT = re.compile(r"\.(?:py|pyz|js|mjs|cjs|ts|sh|jar|exe|cmd|bat|rb|php)$", re.IGNORECASE)
_RELATIVE = re.compile(r"\.[\w-]+[/\\]|(?:[\w-]+[/\\])*(?:\.?bin|Scripts)[/\\][^/\\]")
"""`.venv/bin/server`, `node_modules/.bin/server`: no host begins with a dot, and few are followed by `bin`."""
_BARE_NAME = re.compile(r"(?=\w*mcp|[\w-]*-mcp)\w+(?:-\w+)+$", re.IGNORECASE)
"""`mcp-server-time`, `crm-mcp`: a name by itself, without a dot, a port or a path, as programs have."""
_NPM_PACKAGE = re.compile(r"@[\w.-]+/[\w.-]+(?:@[\w.^~-]+)?$")
_URL_ALMOST = re.compile(r"https?\b", re.IGNORECASE)


def is_command(text: str) -> bool:
    """Whether a text that is no URL is a command, a path of a program, a package, or a client's JSON for one."""
    text = text.strip().strip("`'\"$ ")
    if text.startswith("{"):
        return '"command"' in text
    words = [word for word in text.split() if not _ASSIGNMENT.fullmatch(word)]
    if not words or _URL_ALMOST.match(words[0]):
        return False
    first = words[0]
    return (
        _is_program(first)
        or any(shape.match(first) is not None for shape in (_SCHEME, _PATH, _RELATIVE, _BARE_NAME, _NPM_PACKAGE))
        or (_SCRIPT.search(first) is not None and "/" not in first)
        or any(word.startswith("-") or word == "stdio" for word in words[1:])
    )


def is_command_object(value: object) -> bool:
    """Whether it is what clients are configured with: `{"command": ..., "args": [...]}`, alone or under a name."""
    if not isinstance(value, dict):
        return False
    return "command" in value or any(is_command_object(one) for one in list(value.values())[:10])


def _is_program(word: str) -> bool:
    """Whether a word is the name of a program that starts others, also `python3.12`, `npx.cmd` or `/usr/bin/npx`."""
    name = re.split(r"[/\\]", word)[-1]
    return _VERSION_OR_ENDING.sub("", name).lower() in _PROGRAMS
