"""An answer that is no success: its JSON-RPC error if it has one, its words, and where it points to.

Read by the parts that call upstreams, at every status but 200. Servers tell what is wrong in many forms: a JSON-RPC
error, other JSON, plain text, a web page, or any of these as an event. The words are for an admin alone: a server may
repeat the credential in them, which control blanks before it keeps them. Leaves out what an admin can do about it.
"""

import asyncio
import html
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Final

import orjson

from core.egress.faults import UpstreamFault
from core.mcp.answer_json import read
from core.mcp.event_stream import Event, EventReader, EventStreamFault
from core.resolve import ResolvedInstallation
from proxy.refusals import Refusal
from proxy.upstream.answers import EVENT_STREAM, Json, inflated, is_stream, media_type
from proxy.upstream.challenges import scopes_needed
from proxy.upstream.faults import restarting, upstream_text
from proxy.upstream.transport import UpstreamAnswer

MOST_READ: Final = 1 << 16
"""Bytes of such an answer that are looked at."""
READ_SECONDS: Final = 2.0
"""A server may leave a refusal open for ever; what came until then has to do."""
_MOST_HEADER: Final = 2048
_TELLING: Final = ("message", "detail", "details", "error_description", "description", "error", "title", "reason")
"""Members in which JSON that is no JSON-RPC tells what is wrong, the most telling first."""
_UNSEEN: Final = {"script", "style"}


@dataclass(frozen=True, slots=True)
class Unsuccessful:
    """What an answer without success said."""

    status: int
    error: Json | None = None
    """The JSON-RPC error in it."""
    id: object = None
    """The id that stands beside the error."""
    words: str = ""
    location: str = ""
    """Where it redirects to, as the server wrote it."""
    offers_oauth: bool = False
    """Whether its challenge names the metadata of an authorization server (RFC 9728)."""
    needed_scopes: tuple[str, ...] | None = None
    """What its challenge asks for where it says that the credential has too few scopes, () where it names none; None
    where it does not say that.
    """

    def is_to(self, request_id: int) -> bool:
        """Whether it is a JSON-RPC error with this request's id, such as a tool's own."""
        return self.error is not None and self.id in (request_id, str(request_id))

    def refusal(self, installation: ResolvedInstallation, during: str) -> Refusal:
        """What the caller is told; `during` is for the log."""
        if self.status == 503 and installation.kind != "remote":
            return restarting(installation, "takes no calls", detail=f"{during}: status 503", said=self.words)
        reason = "upstream_credential" if self.status in {401, 403} else "upstream_status"
        return Refusal(
            reason,
            server=installation.entry,
            status=self.status,
            detail=f"{during}: status {self.status}",
            said=self.words,
            location=self.location,
            offers_oauth=self.offers_oauth,
            needed_scopes=self.needed_scopes,
        )


async def read_unsuccessful(response: UpstreamAnswer) -> Unsuccessful:
    """Read an answer without success, as far as it helps; what cannot be read is left out, and nothing is raised."""
    kind, begin = media_type(response), _first_event if is_stream(response) else _beginning
    body = await begin(inflated(response, MOST_READ))
    found = _json_in(body)
    is_json = kind in {"application/json", EVENT_STREAM, ""} or kind.endswith("+json")
    challenge = (response.header("www-authenticate") or "")[:_MOST_HEADER]
    error = _rpc_error(found) if is_json else None
    return Unsuccessful(
        response.status,
        error,
        found.get("id") if error is not None and isinstance(found, dict) else None,
        words_of(found) if found is not None else _text_in(body),
        (response.header("location") or "")[:_MOST_HEADER] if 300 <= response.status < 400 else "",
        "resource_metadata" in challenge.lower(),
        scopes_needed(challenge) if response.status == 403 else None,
    )


def words_of(told: object) -> str:
    """What JSON says of a fault, on one line: the message of an error with its data, or the most telling member."""
    if isinstance(told, str):
        return _one_line(told)
    error = told.get("error") if isinstance(told, dict) else None
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        return error_words(error)
    for name in _TELLING if isinstance(told, dict) else ():
        member = told.get(name) if isinstance(told, dict) else None
        if isinstance(member, str) and member.strip():
            return _one_line(member)
    return _one_line(_as_text(told))


def error_words(error: Json) -> str:
    """A JSON-RPC error in words: its message, and its data behind it."""
    message, data = error.get("message"), error.get("data")
    said = message if isinstance(message, str) else ""
    more = data if isinstance(data, str) else "" if data in (None, {}, []) else _as_text(data)
    if more and more not in said:
        said = f"{said} ({more})" if said else more
    return _one_line(said or f"error {error.get('code')}")


async def _beginning(response: UpstreamAnswer) -> bytes:
    return b"".join([piece async for piece in _pieces(response)])


async def _first_event(response: UpstreamAnswer) -> bytes:
    """The data of the first event that has any; of one that was not ended, too."""
    reader = EventReader(MOST_READ)
    try:
        async for piece in _pieces(response):
            if data := _data_of(reader.feed(piece)):
                return data
        return _data_of(reader.feed(b"\n\n"))
    except EventStreamFault:
        return b""


async def _pieces(response: UpstreamAnswer) -> AsyncIterator[bytes]:
    """The body as it comes, as far as it is looked at."""
    left, until = MOST_READ, time.monotonic() + READ_SECONDS
    while left > 0:
        try:
            async with asyncio.timeout(until - time.monotonic()):
                piece = await response.next_chunk()
        except (UpstreamFault, TimeoutError):
            return  # the status is known, and what came of the words has to do
        if not piece:
            return
        yield piece[:left]
        left -= len(piece)


def _data_of(events: list[Event]) -> bytes:
    return next((event.data for event in events if event.data), b"")


def _json_in(body: bytes) -> object:
    if body.lstrip()[:1] not in {b"{", b"[", b'"'}:
        return None
    try:
        return read(body)
    except ValueError:
        return None


def _rpc_error(found: object) -> Json | None:
    if not isinstance(found, dict) or found.get("jsonrpc") != "2.0":
        return None
    error = found.get("error")
    return error if isinstance(error, dict) else None


def _text_in(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    if "\x00" in text or text.count("\ufffd") > 8:
        return ""  # no text at all
    return _one_line(html.unescape(" ".join(_seen_of_page(text))) if text.lstrip()[:1] == "<" else text)


def _seen_of_page(page: str) -> Iterator[str]:
    """What a person would read of a web page, its title first. In one pass: a page may be made to be slow."""
    unseen = ""
    for part in page.split("<"):
        tag, _, text = part.partition(">")
        name = tag.partition(" ")[0].strip().lower()
        if not unseen and name in _UNSEEN:
            unseen = name
        elif unseen and name == "/" + unseen:
            unseen = ""
        if not unseen:
            yield text


def _as_text(value: object) -> str:
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return ""


def _one_line(text: str) -> str:
    return " ".join(upstream_text(text).split())
