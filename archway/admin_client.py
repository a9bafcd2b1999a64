"""The admin API as a client sees it: what `archway up`, `archway status` and the commands of the registry call.

Standard library only and blocking, since a command does one thing after another. Proxies of the environment and
redirects are ignored: the token goes to the address that was named and nowhere else.
"""

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import quote, urlencode

DEADLINE_S = 30.0
SILENT_S = 3_700.0
"""How long lines that are followed may stay away: whoever sends them ends after an hour."""
LONGEST_ANSWER = 64 << 20
PAGE = 100
ANY = "*"
"""`If-Match` for writes that no earlier reading decided (RFC 9110 section 13.1.1)."""


class Unreachable(Exception):
    """Nobody answers at the admin API's address, or not as an admin API does."""


@dataclass
class Problem(Exception):
    """A refusal (RFC 9457): what is wrong, field by field."""

    status: int
    title: str
    detail: str = ""
    errors: list[tuple[str, str]] = field(default_factory=list)
    request_id: str = ""

    def __str__(self) -> str:
        """Sentences for a person, one per line."""
        lines = [f"{self.title} ({self.status})" if not self.detail else f"{self.detail} ({self.status})"]
        told = [(name, message) for name, message in self.errors if message not in self.detail]
        lines += [f"  {name}: {message}" if name else f"  {message}" for name, message in told]
        return "\n".join(lines)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


@dataclass(frozen=True, slots=True)
class AdminApi:
    """One admin API and the token for it. Methods raise Problem or Unreachable."""

    url: str
    token: str = field(repr=False)

    def get(self, path: str, **query: str | int | None) -> dict[str, Any]:
        """One resource, or one page."""
        return self._call("GET", path + _query(query))[0]

    def pages(self, path: str, **query: str | int | None) -> Iterator[dict[str, Any]]:
        """Every item of a list, page after page."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=PAGE, cursor=cursor, **query)
            yield from page["items"]
            cursor = page.get("next")
            if not cursor:
                return

    def lines(self, path: str, **query: str | int | None) -> Iterator[bytes]:
        """Lines of text as they come, with their ends. Not whole where the connection ends before: Unreachable."""
        with self._answer(self._request("GET", path + _query(query)), SILENT_S) as answer:
            yield from answer

    def post(self, path: str, body: object = None) -> dict[str, Any]:
        """Make something, or have something done."""
        return self._call("POST", path, body)[0]

    def put(self, path: str, body: object = None) -> dict[str, Any]:
        """Put it in place, whatever is there now."""
        return self._call("PUT", path, body, ANY)[0]

    def read(self, path: str) -> tuple[dict[str, Any], str]:
        """One resource, and its version for `patch`."""
        return self._call("GET", path)

    def patch(self, path: str, body: object, version: str = "") -> dict[str, Any]:
        """Change this version, or else the one that is there now."""
        return self._call("PATCH", path, body, version or self._version(path))[0]

    def delete(self, path: str, **query: str | int | None) -> None:
        """Delete it, whatever was changed meanwhile."""
        self._call("DELETE", path + _query(query), None, ANY)

    def _version(self, path: str) -> str:
        return self._call("GET", path)[1] or ANY

    def _call(self, method: str, path: str, body: object = None, if_match: str = "") -> tuple[dict[str, Any], str]:
        with self._answer(self._request(method, path, body, if_match)) as answer:
            raw = answer.read(LONGEST_ANSWER)
            return (_json(raw) if raw else {}), answer.headers.get("ETag", "")

    def _request(self, method: str, path: str, body: object = None, if_match: str = "") -> urllib.request.Request:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json, application/problem+json"}
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        if if_match:
            headers["If-Match"] = if_match
        return urllib.request.Request(  # noqa: S310 - the scheme is checked where the address is read
            self.url.rstrip("/") + "/api/v1" + quote(path, safe="/?&=%:,"), content, headers, method=method
        )

    @contextlib.contextmanager
    def _answer(self, asked: urllib.request.Request, within_s: float = DEADLINE_S) -> Iterator[HTTPResponse]:
        try:
            with _OPENER.open(asked, timeout=within_s) as answer:
                yield answer
        except urllib.error.HTTPError as refused:
            with refused:
                raise _problem(refused, self.url) from None
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise Unreachable(f"the admin API at {self.url} does not answer: {reason}") from None


def _query(query: dict[str, str | int | None]) -> str:
    given = {name.rstrip("_"): value for name, value in query.items() if value is not None}
    return "?" + urlencode(given, quote_via=quote) if given else ""


def _json(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError:
        raise Unreachable("the answer is not JSON, so this is not an admin API; check the address and port") from None
    return value if isinstance(value, dict) else {"items": value}


def _problem(refused: urllib.error.HTTPError, url: str) -> Problem | Unreachable:
    """What was said, or that whoever answered is another server: a proxy, or something between."""
    if refused.headers.get_content_type() != "application/problem+json":
        return Unreachable(f"{url} answers {refused.code}, but is not an admin API; check the address and port")
    try:
        said = json.loads(refused.read(1 << 20))
        errors = [(str(one.get("field", "")), str(one.get("message", ""))) for one in said.get("errors") or []]
        title, detail = str(said.get("title", refused.reason)), str(said.get("detail") or "")
        return Problem(refused.code, title, detail, errors, str(said.get("request_id") or ""))
    except (ValueError, AttributeError, OSError):
        return Problem(refused.code, str(refused.reason))


def get_or_none(api: AdminApi, path: str) -> dict[str, Any] | None:
    """What the path leads to; None where there is nothing. Raises as `AdminApi.get`."""
    try:
        return api.get(path)
    except Problem as problem:
        if problem.status == 404:
            return None
        raise
