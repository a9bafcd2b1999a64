"""A small MCP client for one gateway: requests of revision 2026-07-28, which need no session.

Standard library only and blocking, as `archway/admin_client.py` is, since a command does one thing after another: an
SDK would take longer to import than the call takes. It knows what our gateways answer, and nothing of servers that
speak older revisions. Proxies of the environment and redirects are ignored: the token goes to the address that was
named and nowhere else.
"""

import contextlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from importlib.metadata import version
from typing import Any, Final

from core.mcp.event_stream import EventReader, EventStreamFault
from core.mcp.methods import META_CLIENT_CAPABILITIES, META_CLIENT_INFO, META_PROTOCOL_VERSION, TOOLS_CALL
from core.mcp.param_headers import param_header_values, param_headers
from core.mcp.versions import MODERN

_LONGEST_ANSWER: Final = 64 << 20
_PIECE: Final = 1 << 16
_MOST_PAGES: Final = 1_000


class NotReached(Exception):
    """Nobody answers at the gateway's URL in time, or not as a gateway does."""


@dataclass
class Refused(Exception):
    """The gateway refused the request; `sentence` says why in its words."""

    sentence: str
    status: int = 200
    """Of HTTP."""
    request_id: str = ""

    def __str__(self) -> str:
        """The sentence, with what an administrator finds the request by."""
        return self.sentence + (f"\nrequest id {self.request_id}" if self.request_id else "")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway and a token for it. Methods raise NotReached and Refused."""

    url: str
    token: str = field(repr=False)
    seconds: float = 120.0
    """Until an answer must be there whole."""

    def tools(self) -> list[dict[str, Any]]:
        """The definitions of its tools, as it lists them."""
        found: list[dict[str, Any]] = []
        params: dict[str, Any] = {}
        for _ in range(_MOST_PAGES):
            page = self._ask("tools/list", params)
            found += page.get("tools") or []
            if not page.get("nextCursor"):
                break
            params = {"cursor": page["nextCursor"]}
        return found

    def call(self, tool: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The result of one call of a tool, by its definition: some of its arguments may belong in headers too."""
        mirrored = param_header_values(param_headers(tool.get("inputSchema") or {}), arguments)
        return self._ask(TOOLS_CALL, {"name": tool["name"], "arguments": dict(arguments)}, mirrored)

    def _ask(self, method: str, params: Mapping[str, Any], more: Mapping[str, str] | None = None) -> dict[str, Any]:
        envelope = {
            META_PROTOCOL_VERSION: MODERN,
            META_CLIENT_CAPABILITIES: {},
            META_CLIENT_INFO: {"name": "archway", "version": version("archway")},
        }
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": envelope}}
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": MODERN,
            "Mcp-Method": method,
            **({"Mcp-Name": str(params["name"])} if "name" in params else {}),
            **(more or {}),
        }
        asked = urllib.request.Request(  # noqa: S310 - the scheme is checked where the address is read
            self.url, json.dumps(body).encode(), headers, method="POST"
        )
        ends = time.monotonic() + self.seconds
        with self._answer(asked) as answer:
            return _result(_message(answer, self.url, ends), answer.status)

    @contextlib.contextmanager
    def _answer(self, asked: urllib.request.Request) -> Iterator[HTTPResponse]:
        try:
            with _OPENER.open(asked, timeout=self.seconds) as answer:
                yield answer
        except urllib.error.HTTPError as refused:
            with refused:
                raise _refusal(refused, self.url) from None
        except TimeoutError:
            raise NotReached(f"{self.url} did not answer within {self.seconds:g} s") from None
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise NotReached(f"{self.url} does not answer: {reason}") from None


def _message(answer: HTTPResponse, url: str, ends: float) -> dict[str, Any]:
    """The message that answers: the body, or the event of a stream that is no notification."""
    streams = answer.headers.get_content_type() == "text/event-stream"
    reader, body = EventReader(max_event_bytes=_LONGEST_ANSWER), bytearray()
    while piece := answer.read1(_PIECE):
        if time.monotonic() > ends:
            raise TimeoutError
        if not streams:
            body += piece
            if len(body) > _LONGEST_ANSWER:
                raise NotReached(f"the answer of {url} is larger than {_LONGEST_ANSWER >> 20} MiB")
            continue
        for message in _messages(reader, piece, url):
            if "method" not in message:
                return message
    if streams:
        raise NotReached(f"{url} ended its event stream without an answer")
    return _json(bytes(body), url)


def _messages(reader: EventReader, piece: bytes, url: str) -> Iterator[dict[str, Any]]:
    try:
        events = reader.feed(piece)
    except EventStreamFault as fault:
        raise NotReached(f"{url} sends too much: {fault}") from None
    for event in events:
        if event.name == "message" and event.data:
            yield _json(event.data, url)


def _json(raw: bytes, url: str) -> dict[str, Any]:
    try:
        message = json.loads(raw)
    except ValueError:
        message = None
    except RecursionError:
        raise NotReached(f"{url} answers with JSON that is nested too deep to be read") from None
    if not isinstance(message, dict):
        raise NotReached(f"{url} answers, but not as a gateway does; check the URL")
    return message


def _result(message: Mapping[str, Any], status: int) -> dict[str, Any]:
    error, result = message.get("error"), message.get("result")
    if isinstance(error, dict):
        raise _refused(error, status)
    if not isinstance(result, dict):
        raise NotReached("the answer is neither a result nor an error, so this is no gateway; check the URL")
    return result


def _refusal(refused: urllib.error.HTTPError, url: str) -> Refused | NotReached:
    """What the gateway said, or that whoever answered is something else."""
    try:
        said = json.loads(refused.read(1 << 20))
        return _refused(said["error"], refused.code)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, OSError):
        return NotReached(f"{url} answers {refused.code}, but not as a gateway does; check the URL")


def _refused(error: Mapping[str, Any], status: int) -> Refused:
    data = error.get("data")
    number = data.get("request_id") if isinstance(data, dict) else None
    return Refused(str(error["message"]), status, str(number or ""))
