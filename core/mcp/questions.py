"""What a server may ask of a client in the middle of a call: a form or a link, its model, its folders.

The proxy passes on what a client declares that it can (`passed_on`) as far as the gateway allows it, and of a modern
server's questions those alone (`why_not_asked`). Of a capability that we do not know nothing is passed on.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

Question = Literal["elicitation", "sampling", "roots"]
QUESTIONS: Final[tuple[Question, ...]] = get_args(Question)
MOST_AT_ONCE: Final = 16
"""Questions in one result."""
LONGEST_KEY: Final = 256
_METHODS: Final[dict[str, Question]] = {
    "elicitation/create": "elicitation",
    "sampling/createMessage": "sampling",
    "roots/list": "roots",
}
_MODES: Final = ("form", "url")
_HOST: Final = re.compile(r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]+\.?|\[[0-9a-f:.]+\]")
"""A host that all programs read alike. One of other letters is written in these, too (`xn--`)."""
_NUMBER: Final = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\.?")
_ADDRESS: Final = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")


def passed_on(declared: object, allowed: Collection[str]) -> dict[str, object]:
    """Of what a client declares (`clientCapabilities`), what a server behind the gateway is told."""
    if not isinstance(declared, dict):
        return {}
    return {name: declared[name] for name in QUESTIONS if name in allowed and isinstance(declared.get(name), dict)}


def profile_of(capabilities: Mapping[str, object]) -> str:
    """Capabilities as a word, the same for the same: legacy sessions that declare others are others."""
    return ",".join(
        f"{name}:{'+'.join(sorted(map(str, told)))}" if isinstance(told, dict) and told else name
        for name, told in sorted(capabilities.items())
    )


def host_of(request: Mapping[str, object]) -> str | None:
    """Where the link of a question leads; None without one, empty where it cannot be told.

    That is so, too, where a browser may read the link in another way than we do: a backslash in it, a host in other
    letters, an address written as one number, a link that is none of the web.
    """
    params = request.get("params")
    if not isinstance(params, dict) or params.get("mode") != "url":
        return None
    url = params.get("url")
    if not isinstance(url, str) or "\\" in url:
        return ""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2].lower().removesuffix(port)
    return f"{host}{port}" if parts.scheme in {"http", "https"} and _is_plain(host) else ""


def _is_plain(host: str) -> bool:
    last = host.removesuffix(".").rpartition(".")[2]
    return _HOST.fullmatch(host) is not None and (
        _NUMBER.fullmatch(last) is None or _ADDRESS.fullmatch(host) is not None
    )


def with_who(request: dict[str, object], who: str) -> dict[str, object]:
    """A question whose words say who asks, and where its link leads."""
    params = request.get("params")
    if not isinstance(params, dict) or (_METHODS.get(str(request.get("method"))) != "elicitation"):
        return request
    host = host_of(request)
    opens = f" (opens {host})" if host else ""
    return {**request, "params": {**params, "message": f"{who} asks{opens}: {params.get('message', '')}"}}


def why_not_asked(asked: object, told: Mapping[str, object]) -> str | None:
    """Why the `inputRequests` of a modern server's result may not go to its caller; None where they may.

    `told`: the capabilities that the server was told of.
    """
    if not isinstance(asked, dict):
        return "inputRequests is no object"
    if len(asked) > MOST_AT_ONCE:
        return f"more than {MOST_AT_ONCE} questions at once"
    for key, request in asked.items():
        why = _why_not(request, told)
        if why or len(key) > LONGEST_KEY:
            return why or "a question with too long a name"
    return None


def _why_not(request: object, told: Mapping[str, object]) -> str:
    method = request.get("method") if isinstance(request, dict) else None
    question = _METHODS.get(method) if isinstance(method, str) else None
    if question is None or not isinstance(request, dict):
        return f"a question of no kind that is known: {str(method)[:64]}"
    capability = told.get(question)
    if not isinstance(capability, dict):
        return f"a question that was not declared: {method}"
    params = request.get("params", {})
    if not isinstance(params, dict):
        return f"{method} without params"
    if question == "elicitation" and not _shows(capability, params.get("mode", "form")):
        return f"elicitation in a mode that was not declared: {str(params.get('mode'))[:64]}"
    return ""


def _shows(capability: Mapping[str, object], mode: object) -> bool:
    """Whether a client that declares this can be asked in a mode; an empty object says that it shows forms."""
    return mode in _MODES and (mode in capability or (mode == "form" and not capability.keys() & {*_MODES}))
