"""Which installation serves a call: pinned, or found from the caller. Pure: values in, one or a refusal out.

Called by `control/internal/` with what `control/store/resolution.py` read after the caller's token was checked again.
Pinned: that one; a person's or a service account's for its owner only. Resolved at call time: the caller's own, then
that of one of the caller's teams (the gateway's teams before others), then the organisation's. Of several that one
owner has, the default is meant. Where those of two teams fit equally nobody guesses. A credential that must be given
again is not passed over for a wider one: it would act as somebody else, in silence.

A shared gateway is an administrator's word and lends what is on it. A personal one is its owner's, and what they were
allowed when they pinned may have been taken away since: so there a team's installation serves only while the owner is
in the team, and no entry serves that is not shown to them any more.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, assert_never

from control.credentials.cure import install_link, to_connect
from control.credentials.given import against
from control.credentials.whose import CallerKind
from control.registry.account import Account
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.owner import Organisation, Owner, Person, ServiceAccount, TeamOwner
from core.resolve import InstallationRefusal, Principal
from core.snapshot import Visibility
from core.visibility import may_enter


@dataclass(frozen=True, slots=True)
class ResolutionRows:
    """All that the choice of an installation looks at."""

    visibility: Visibility
    """Of the gateway."""
    entry: Entry
    pinned: str | None
    """The installation that the assignment names."""
    installations: Sequence[Installation]
    """Of this entry: at least the pinned one, or the defaults of the caller, of the caller's teams and of the
    organisation. Others may be among them and are passed over."""
    team_names: Mapping[str, str]
    """Names of the caller's teams, and perhaps of others, for sentences."""
    accounts: Mapping[str, Account] = field(default_factory=dict)
    """What the installations hold at providers, by installation. It decides about no choice."""
    gateway: str = ""
    """Its slug; it decides about nothing, as what follows."""
    tool: str = ""
    """As the server calls it; '' for an offer."""
    email: str = ""
    """The caller's; '' where they have none, or the entry does not tell it."""


_WHO_HAS_NONE: Final = {"user": "neither you nor a team of yours has an", "team": "your team has no"}


def choose_installation(
    principal: Principal, rows: ResolutionRows | None, pages_url: str = "", *, kind: CallerKind | None = None
) -> Installation | InstallationRefusal:
    """The installation to use, or why none. `rows` None: the assignment is not on that gateway. `pages_url`: where
    people's pages are, on which one is made. `kind`: of the caller; where no installation could serve such a one,
    that is said, whichever there are. None: it is not looked at.
    """
    if rows is None or not may_enter(principal, rows.visibility):
        return InstallationRefusal("not_allowed", "This gateway has no such tool for you.")
    if rows.visibility.kind == "personal" and not _sees_entry(principal, rows.entry):
        return InstallationRefusal(
            "not_allowed",
            f"{rows.entry.name} is not visible to you any more, and your own gateway reaches only what you can see. "
            "Ask an administrator for access to it, or remove this tool from your gateway.",
        )
    if kind is not None and (refused := against(rows.entry, kind)) is not None:
        return refused
    if rows.pinned is not None:
        return _pinned(principal, rows, rows.pinned)
    if principal.kind == "organisation":
        return InstallationRefusal(
            "not_allowed",
            f"{rows.entry.name} is used with the credential of the caller or of the caller's team, and a token of "
            "the organisation belongs to no person and no team. Use a token of a user or of a team, or ask an admin "
            "to pin this tool to an installation.",
        )
    return _found_from(principal, rows, pages_url)


def _pinned(principal: Principal, rows: ResolutionRows, pinned: str) -> Installation | InstallationRefusal:
    installation = next((one for one in rows.installations if one.id == pinned), None)
    if installation is None or installation.entry_id != rows.entry.id:
        return InstallationRefusal(
            "installation_gone",
            f"The installation of {rows.entry.name} that this tool used was removed. Ask an administrator to assign "
            "the tool again.",
        )
    another = _another_alone(principal, installation.owner)
    if another:
        return InstallationRefusal(
            "not_allowed",
            f"This tool uses {another} installation of {rows.entry.name}. Ask an administrator to pin it to another "
            "one.",
        )
    if rows.visibility.kind == "personal" and not _may_borrow(principal, installation):
        return InstallationRefusal(
            "not_allowed",
            f"This tool uses a team's installation of {rows.entry.name}, and you are not in that team. Ask an "
            "admin of the team to add you, or remove the pin.",
        )
    return installation


def _found_from(principal: Principal, rows: ResolutionRows, pages_url: str) -> Installation | InstallationRefusal:
    for fitting in _rounds(principal, rows):
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            return _ambiguous(rows, fitting, install_link(pages_url, rows.entry, principal))
    who = _WHO_HAS_NONE.get(principal.kind, "neither this client nor a team of its has an")
    link = install_link(pages_url, rows.entry, principal)
    why = f"{rows.entry.name} is not connected: {who} installation of it."
    return InstallationRefusal("credential_missing", f"{why} {to_connect(rows.entry, principal, link)}", link)


def _rounds(principal: Principal, rows: ResolutionRows) -> Iterable[list[Installation]]:
    """Candidates in order of preference; the first round that has any decides."""
    defaults, own = [one for one in rows.installations if one.is_default], own_of(principal)
    yield [one for one in defaults if one.owner == own]
    yield [one for one in defaults if _is_teams(one, principal.teams.intersection(rows.visibility.teams))]
    yield [one for one in defaults if _is_teams(one, principal.teams)]
    yield [one for one in defaults if isinstance(one.owner, Organisation)]


def _ambiguous(rows: ResolutionRows, fitting: Sequence[Installation], link: str) -> InstallationRefusal:
    names = sorted(_name(rows, one) for one in fitting)
    own = f"Open {link} to connect your own, then try again" if link else "Connect your own"
    return InstallationRefusal(
        "credential_ambiguous",
        f"Several credentials for {rows.entry.name} fit you equally: {'; '.join(names)}. {own}, or "
        "ask an admin to pin this tool to one of them.",
        link,
    )


def _name(rows: ResolutionRows, installation: Installation) -> str:
    owner = installation.owner
    team = rows.team_names.get(owner.id) if isinstance(owner, TeamOwner) else None
    return f"{installation.name!r} of the team {team!r}" if team else repr(installation.name)


def _sees_entry(principal: Principal, entry: Entry) -> bool:
    return entry.visibility == "organisation" or not principal.teams.isdisjoint(entry.teams)


def _may_borrow(principal: Principal, installation: Installation) -> bool:
    return not isinstance(installation.owner, TeamOwner) or installation.owner.id in principal.teams


def _is_teams(installation: Installation, teams: AbstractSet[str]) -> bool:
    return isinstance(installation.owner, TeamOwner) and installation.owner.id in teams


def _another_alone(principal: Principal, owner: Owner) -> str:
    """Whose it is, where its owner alone may use it and that is not the caller; else ''."""
    match owner:
        case Person():
            return "" if owner == own_of(principal) else "another person's"
        case ServiceAccount():
            return "" if owner == own_of(principal) else "a service account's"
        case TeamOwner() | Organisation():
            return ""
    assert_never(owner)


def own_of(principal: Principal) -> Person | ServiceAccount | None:
    """The owner that this caller is, whose installations come first; None for one that owns none by itself."""
    match principal.kind:
        case "user":
            return Person(principal.id)
        case "service":
            return ServiceAccount(principal.id)
        case "team" | "organisation" | "external":
            return None
    assert_never(principal.kind)
