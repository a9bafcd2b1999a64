"""An entry: a server that is approved, how it is reached, what it asks of installations, and who sees it.

Made by `control/store/entries.py` of a row, and by nobody else. A field of `EntryFields` is a column of the same name
and a field of the admin API; nothing more has to be said of it in SQL. Leaves out the rules: `entry_rules.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, assert_never

import msgspec

from control.registry.caller_statement import CallerStatement
from control.registry.credential import Credential, kind_of, settings_of
from control.registry.fields import Field
from control.registry.origin import origin_of
from control.registry.self_hosted import SelfHosted, what_runs
from control.registry.told import as_plain
from core.egress.held import Held

EntryVisibility = Literal["organisation", "teams"]
Isolation = Literal["principal", "client_session", "shared"]
_NOT_TOLD = {"reached", "credential", "fixed_headers", "client_secret", "run_secrets", "held"}
"""Fields that are told in other words, or to nobody."""


class Remote(msgspec.Struct, frozen=True, tag="remote", tag_field="kind"):
    """A server that runs elsewhere and is asked at its URL."""

    url: str
    """Perhaps with placeholders (`url_template.py`): what is asked is then said by `server_url.py`."""


Reached = Remote | SelfHosted
"""How an entry's server is reached: one of these kinds."""


def bound_to(reached: Reached) -> str:
    """What the entry's fixed headers and own secrets were given for: the URL, or image and command."""
    match reached:
        case Remote(url):
            return url
        case SelfHosted():
            return what_runs(reached)
    assert_never(reached)


def bound_origin(reached: Reached) -> str:
    """What the secret of the entry's own client is bound to. Placeholders stand as they are."""
    match reached:
        case Remote(url):
            return origin_of(url)
        case SelfHosted():
            return what_runs(reached)
    assert_never(reached)


def told_of_reached(reached: Reached) -> dict[str, Any]:
    """As its row keeps it and the admin API tells it: `kind`, `url` ('' for one that we run), `run` (None else)."""
    match reached:
        case Remote(url):
            return {"kind": "remote", "url": url, "run": None}
        case SelfHosted():
            run = as_plain(reached)
            return {"kind": run.pop("kind"), "url": "", "run": run}
    assert_never(reached)


def reached_of(told: Mapping[str, Any]) -> Reached:
    """Of what `told_of_reached` said; raises ValidationError for what it never says."""
    parts = {"url": told["url"]} if told["run"] is None else told["run"]
    made: Reached = msgspec.convert({**parts, "kind": told["kind"]}, Reached)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFields:
    """The fields of an entry that a person sets, apart from its fixed headers."""

    slug: str
    name: str
    description: str = ""
    docs_url: str = ""
    labels: dict[str, str]
    visibility: EntryVisibility
    teams: tuple[str, ...]
    """Identifiers of the teams that see it."""
    reached: Reached
    credential: Credential
    fields: tuple[Field, ...]
    """What it asks of everyone who installs it."""
    passthrough: bool
    """Whether headers on a gateway's allowlist go on to this server."""
    isolation: Isolation
    """Who may share a session with the server."""
    deadline_s: float
    """Longest wait for an answer; 0: the proxy's setting."""
    team_id: str | None = None
    """The team whose own entry it is (`team_entries.py`); None: the organisation's."""
    environment_id: str | None = None
    """Where it is put (`environment.py`); None: into no environment."""
    caller_statement: CallerStatement | None = None
    """What its server is told of the caller, by Archway's word; None: nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedEntry(EntryFields):
    """An entry as somebody wants it to be, before it is checked."""

    fixed_headers: Mapping[str, str] | None = field(default=None, repr=False)
    """Header to value; None: those that it has stay."""
    run_secrets: Mapping[str, str] | None = field(default=None, repr=False)
    """Of a server that we run: variable, or file, to value; None: those that it has stay."""
    client_secret: str | None = field(default=None, repr=False)
    """Of a client that was registered at the server's provider by hand; None: the one that it has stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry(EntryFields):
    """What an entry is made of: checked, with its secrets sealed."""

    fixed_headers: bytes | None = field(repr=False)
    """Sealed for this entry (`row_seals.py`)."""
    fixed_header_names: tuple[str, ...]
    run_secrets: bytes | None = field(repr=False)
    """Sealed for this entry, as the above."""
    run_secret_names: tuple[str, ...]
    client_secret: bytes | None = field(repr=False)
    """Sealed for this entry and for the provider that it names; None where there is none."""
    placed_by: str | None = None
    """Who put it into its environment, made another server of it there, or stood for that since; None where that
    person is gone.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(NewEntry):
    """An entry that exists, with its identifier and version."""

    id: str
    discovery: dict[str, Any]
    """What the latest discovery through its discovery installation found (`control/changes/discoveries.py`)."""
    discovery_installation_id: str | None
    """The installation through which its tools are found; None: the first that becomes ready will be it."""
    created_at: datetime
    updated_at: datetime
    version: int
    held: Held | None = None
    """What its environment's policy allows, for a server that runs elsewhere; None where there is no policy."""


def entry_fields(entry: EntryFields) -> dict[str, Any]:
    """Its fields by their names, to make another of them."""
    return {one.name: getattr(entry, one.name) for one in fields(EntryFields)}


def told_of_entry(entry: Entry) -> dict[str, Any]:
    """All that people are told of an entry, in the words of the admin API: names of fixed headers, never values."""
    told = {one.name: as_plain(getattr(entry, one.name)) for one in fields(entry) if one.name not in _NOT_TOLD}
    return {
        **told,
        **told_of_reached(entry.reached),
        "credential_model": kind_of(entry.credential),
        "credential_placement": settings_of(entry.credential),
        "has_client_secret": entry.client_secret is not None,
    }
