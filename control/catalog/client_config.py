"""What clients are configured with (`mcp.json` and its like), read as entries for the registry. Pure.

Each literal that could be a secret becomes a question to whoever installs the entry, and its value is dropped: a file
like this is passed around, and what stands in it is somebody's own. A server that a client would start as a program
becomes one that Archway runs (`client_programs.py`); one with a secret in its URL is left out with a reason. One of
the catalog for which the file holds no key
becomes what the catalog says of it. Called by the admin API and the page that imports.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from control.catalog.client_programs import NoEntry, entry_of_program
from control.catalog.listed import CatalogServer
from control.registry.broken_rule import BrokenRule

MOST: Final = 100
"""Servers of one file."""
_MEMBERS: Final = ("mcpServers", "servers", "context_servers", "mcp")
_URLS: Final = ("url", "serverUrl", "httpUrl")
_PLAIN = re.compile(r"true|false|\d{1,6}|\d{4}-\d{2}-\d{2}|[a-z]+(?:[-_/][a-z]+)*|v\d{1,3}", re.IGNORECASE)
"""Words that are no secret: a switch, a small number, a date, a name in letters."""
_LONGEST_PLAIN: Final = 24
_TOKEN = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_~.-]{16,}")
"""A part of a path that nobody would write by hand."""
_NOT_ASKED: Final = frozenset(
    {"accept", "content-type", "user-agent", "host", "content-length", "mcp-protocol-version"}
)
"""Headers that Archway writes itself."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A server of the file: the entry that it could be, or why there is none."""

    name: str
    entry: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)
    """What was done to it, or why it is left out, a sentence each."""


def proposals(config: Mapping[str, Any], known: Iterable[CatalogServer] = ()) -> list[Proposal]:
    """The servers of a client's configuration, in its order; BrokenRule for what is none. `known`: the catalog."""
    servers = _servers(config)
    if len(servers) > MOST:
        raise BrokenRule("config", f"has {len(servers)} servers; at most {MOST} are read at once")
    by_url = {_same(one.url): one for one in known}
    return [_proposal(str(name)[:128], one, by_url) for name, one in servers.items()]


def _servers(config: Mapping[str, Any]) -> Mapping[str, Any]:
    for member in _MEMBERS:
        found = config.get(member)
        if isinstance(found, dict) and member == "mcp" and isinstance(found.get("servers"), dict):
            found = found["servers"]
        if isinstance(found, dict) and found and all(isinstance(one, dict) for one in found.values()):
            return found
    raise BrokenRule(
        "config", "has no servers: it needs a member 'mcpServers' or 'servers', as clients' mcp.json has"
    )


def _proposal(name: str, one: Mapping[str, Any], known: Mapping[str, CatalogServer]) -> Proposal:
    url = next((one[key] for key in _URLS if isinstance(one.get(key), str)), None)
    if url is None:
        return _run_by_us(name, one)
    if why := _why_not(url):
        return Proposal(name, notes=[why])
    entry: dict[str, Any] = {
        "slug": _slug(name), "name": name, "url": url, "credential_model": "none", "fields": [],
    }  # fmt: skip
    notes = list(_headers_into(entry, one.get("headers")))
    if (listed := known.get(_same(url))) and entry["credential_model"] == "none" and not entry["fields"]:
        return _of_catalog(entry, listed)
    if one.get("type") == "sse" or urlsplit(url).path.rstrip("/").endswith("/sse"):
        notes.append("Its address is of the old transport (SSE): look up its address for Streamable HTTP.")
    return Proposal(name, entry, notes)


def _run_by_us(name: str, one: Mapping[str, Any]) -> Proposal:
    try:
        made, notes = entry_of_program(one, _is_plain, _field_name)
    except NoEntry as left_out:
        return Proposal(name, notes=[str(left_out)])
    return Proposal(name, {"slug": _slug(name), "name": name, "credential_model": "none", **made}, notes)


def _is_plain(text: str) -> bool:
    return len(text) <= _LONGEST_PLAIN and _PLAIN.fullmatch(text) is not None


def _same(url: str) -> str:
    return url.strip().rstrip("/").lower()


def _of_catalog(entry: dict[str, Any], listed: CatalogServer) -> Proposal:
    """A server of the catalog, for which the file holds no key: as the catalog says."""
    name = entry["name"]
    if listed.needs_client:
        note = f"Left out: it needs a client that you register there. Add it from the catalog, as {listed.slug}."
        return Proposal(name, notes=[note])
    told = {one: getattr(listed, one) for one in ("description", "docs_url", "credential_model")}
    told |= {"labels": dict(listed.labels), "fields": [dict(one) for one in listed.fields]}
    if listed.credential_placement:
        told["credential_placement"] = dict(listed.credential_placement)
    return Proposal(name, entry | told, ["How one signs in there is taken from the catalog."])


def _why_not(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "Left out: its URL cannot be read."
    if parts.scheme not in {"http", "https"}:
        return "Left out: its URL does not begin with https://."
    if parts.username is not None or parts.password is not None:
        return "Left out: there is a password in its URL. Make the entry by hand, with the key in a header."
    if parts.query or any(_TOKEN.fullmatch(part) for part in parts.path.split("/")):
        return "Left out: its URL could hold a secret. Make the entry by hand, with the key in a header."
    return ""


def _headers_into(entry: dict[str, Any], headers: object) -> Iterator[str]:
    """Make questions of headers; what was done, a sentence each."""
    for name, value in headers.items() if isinstance(headers, dict) else ():
        header, text = str(name).strip().lower(), str(value).strip()
        if header in _NOT_ASKED:
            continue
        if header == "authorization":
            bearer = text.lower().startswith("bearer ")
            entry["credential_model"] = "static"
            entry["credential_placement"] = {"style": "bearer" if bearer else "authorization"}
            yield "Each installation brings its own key; the one in the file was dropped."
            continue
        asked: dict[str, Any] = {"name": _field_name(header), "header": header, "title": str(name)}
        if _is_plain(text):
            entry["fields"].append({**asked, "type": "string", "default": text})
        else:
            entry["fields"].append({**asked, "type": "secret"})
            yield f"{name} is asked of each installation; the value in the file was dropped."


def _slug(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-")
    return slug or "server"


def _field_name(header: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", header).strip("_")[:40]
    return name if name[:1].isalpha() else f"header_{name}"[:40]
