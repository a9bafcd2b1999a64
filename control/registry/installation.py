"""An installation: an entry, filled in for a person, a team, the organisation or a service account.

Made by `control/store/installations.py` of a row, and by nobody else. Secrets are in it sealed only (`row_seals.py`).
Leaves out the rules: who may make or change one is in `installing.py`.
"""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final, Literal

from control.registry.fields import Answer
from control.registry.idleness import Idleness
from control.registry.owner import Owner, owner_columns
from control.registry.server_state import ServerState
from control.registry.told import as_plain

Protocol = Literal["auto", "legacy", "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]
"""What its server is spoken to: found out, the newest legacy revision that both know, or one revision."""
InstallationState = Literal["new", "ready", "needs_sign_in", "credential_refused", "unreachable"]
LONGEST_ADDRESS: Final = 450
"""A slug has 63 characters at most, an e-mail 254, a team's name 128, and so has an installation's."""
_NOT_TOLD: Final = {
    "owner", "secret_values", "entry_name", "owner_name", "is_default", "server_state", "bridge_token",
    "restarts_wanted", "base_image", "entry_kind", "entry_version", "idleness",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedAnswers:
    """What an installation keeps of the answers that it was given."""

    plain_values: dict[str, Answer]
    secret_values: bytes | None = field(repr=False)
    """Sealed for this installation; None where there are none."""
    secret_names: tuple[str, ...]
    bound_url: str
    """Secrets were given for the server at this URL and go nowhere else; '': it is not known for which."""
    bound_origin: str
    """The origin of that URL."""
    bound_places: dict[str, str]
    """Where in a request each secret was given for, by its name, as `control/credentials/places.py` writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInstallation(SealedAnswers):
    """What a new installation is made of."""

    entry_id: str
    name: str
    owner: Owner
    protocol: Protocol
    created_by: str | None
    """The user who made it; None for the token of a run, and where that user is gone."""
    is_default: bool
    """Whether it serves where nobody says which of its owner's installations of the entry is meant: one does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation(NewInstallation):
    """An installation that exists, with the slug and the name of its entry."""

    id: str
    state: InstallationState
    state_reason: str
    server: dict[str, Any]
    """What discovery saw of the server (`control/discovery/discover.py`)."""
    credential_version: int
    """Rises with each change of its answers."""
    created_at: datetime
    updated_at: datetime
    discovered_at: datetime | None
    version: int
    entry_slug: str
    entry_name: str
    owner_name: str
    """The person's e-mail, the team's or the OAuth client's name, or `organisation`."""
    discovers: bool
    """Whether its entry's tools are found through it."""
    entry_kind: str = "remote"
    """How its entry's server is reached, as `Entry.reached` tags it."""
    entry_version: int = 1
    restarts_wanted: int = 0
    """How often somebody asked for a restart of its server, where we run it."""
    base_image: str = ""
    """The base image that its server is kept on; '' where it has an image of its own, or was not run yet."""
    bridge_token: bytes | None = field(default=None, repr=False)
    """What each call to its bridge carries, sealed for this installation; None before it was first run."""
    server_state: ServerState | None = None
    """How its server does, where we run it, as its runtime said last; None where nothing was said yet."""
    idleness: Idleness | None = None
    """How long nobody called its server, where it is ended for that; None where that is not counted."""

    @property
    def is_ours(self) -> bool:
        """Whether Archway itself runs its server."""
        return self.entry_kind == "self_hosted"

    @property
    def wanted_generation(self) -> int:
        """At least which generation of its server has its and its entry's latest change, and the latest restart."""
        return self.entry_version + self.credential_version - 1 + self.restarts_wanted

    @property
    def address(self) -> str:
        """`crm@Support` for the default of its owner, `crm@Support/staging` for another: names it wherever an
        installation is asked for.
        """
        whose = address_of(self.entry_slug, self.owner_name)
        return whose if self.is_default else f"{whose}/{self.name}"


def address_of(entry_slug: str, owner_name: str) -> str:
    """An owner's default installation of an entry; a slug has no `@`, so the first one parts the two."""
    return f"{entry_slug}@{owner_name}"


def told_of_installation(installation: Installation) -> dict[str, Any]:
    """All that people are told of an installation, in the words of the admin API: names of secrets, never values."""
    told = {
        one.name: as_plain(getattr(installation, one.name))
        for one in fields(installation)
        if one.name not in _NOT_TOLD
    }
    named = {
        "owner": installation.owner_name, "address": installation.address, "default": installation.is_default,
    }  # fmt: skip
    return {**told, **named, **owner_columns(installation.owner)._asdict()}
