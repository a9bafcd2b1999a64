"""An installation as a proxy may use it: address, headers, and how to speak.

Called by discovery (`control/discovery/`) and by the resolve calls (`control/internal/`), so that what was probed is
what is called. Leaves out who may have it: that is `resolution.py`. Secrets come opened, on the way into a sealed
answer, and are nowhere kept.
"""

from collections.abc import Collection
from typing import Any, Literal

from control.credentials import lacks
from control.credentials.cure import to_give_again
from control.credentials.given import NOTHING, Given
from control.credentials.lacks import Lacking
from control.credentials.reaching import reaching
from control.registry.account import Account
from control.registry.credential import WithAccount
from control.registry.entry import Entry
from control.registry.installation import Installation, Protocol
from control.registry.owner import owner_key
from control.registry.row_seals import OpenedSecrets
from control.registry.server_state import Place
from control.registry.server_url import whole_url
from core.resolve import InstallationRefusal, LegacyRevision, ResolvedInstallation
from core.snapshot import RouteKind


def resolve_installation(
    entry: Entry,
    installation: Installation,
    secrets: OpenedSecrets,
    account: Account | None = None,
    place: Place | None = None,
    given: Given = NOTHING,
) -> ResolvedInstallation | InstallationRefusal:
    """The installation, or `needs_sign_in` where its answers or secrets do not fit what its entry now is, or why its
    server is not reached.

    Headers are lower case; the installation's own (fields and credential) go over the entry's fixed ones. `account`:
    what it holds at a provider, whose token is among `secrets`, for the kinds that need one. `place`: where servers
    run here, None for nowhere. `given`: what the caller's requests carry for the caller, whose token is among
    `secrets`, too.
    """
    lacking = lacks.of_answers(entry, installation) or lacks.of_state(installation)
    lacking = lacking or lacks.of_secrets(entry, secrets.values)
    if lacking is None and isinstance(entry.credential, WithAccount) and account is None:
        lacking = Lacking("account")
    refusal = refusal_of(entry, installation, lacking)
    if refusal is not None:
        return refusal
    at = reaching(entry, installation, secrets, place)
    if isinstance(at, InstallationRefusal):
        return at
    protocol, revision = _spoken(installation.protocol)
    return ResolvedInstallation(
        installation_id=installation.id,
        entry_id=entry.id,
        entry=entry.slug,
        owner=owner_key(installation.owner),
        kind=at.kind,
        url=at.url,
        version=version_of(entry, installation, account),
        fixed_headers=sorted(at.fixed_headers.items()),
        credential_headers=list(at.own_headers),
        protocol=protocol,
        revision=revision,
        isolation=entry.isolation,
        deadline_s=entry.deadline_s,
        expires_at=account.expires_at.timestamp() if account and account.expires_at else given.expires_at,
        installation=installation.name,
        account=account.account_name if account else "",
        signed_in_at=account.created_at.timestamp() if account else 0,
        caller_token=given.own,
        made_for=given.made_for,
        obtained_at=given.obtained_at,
        **_held(entry, at.kind),
    )


def version_of(entry: Entry, installation: Installation, account: Account | None = None) -> int:
    """The version of what a proxy is told: rises with each change of entry and answers, and with each new token."""
    return entry.version + installation.credential_version - 1 + (account.version if account else 0)


def resolve_without_secrets(entry: Entry) -> ResolvedInstallation | None:
    """The entry's server as anybody may look at it, before anything is installed; None where only an installation
    says where it is.
    """
    url = whole_url(entry)
    if url is None:
        return None
    return ResolvedInstallation(
        installation_id=entry.id,
        entry_id=entry.id,
        entry=entry.slug,
        owner="organisation",
        kind="remote",
        url=url,
        version=entry.version,
        **_held(entry, "remote"),
    )


def _held(entry: Entry, kind: RouteKind) -> dict[str, Any]:
    """To what its address is held, where it runs elsewhere: of what runs here, whatever runs it sees to that."""
    if entry.held is None or kind != "remote":
        return {}
    return {"egress": entry.held.rules, "environment": entry.held.environment}


def _spoken(protocol: Protocol) -> tuple[Literal["auto", "legacy", "2026-07-28"], LegacyRevision]:
    """What proxies are told: the family, and the legacy revision where it is pinned to one."""
    match protocol:
        case "auto" | "legacy" | "2026-07-28":
            return protocol, ""
        case _:
            return "legacy", protocol


def refusal_of(entry: Entry, installation: Installation, lacking: Lacking | None) -> InstallationRefusal | None:
    """The refusal for what the installation lacks; None where it lacks nothing."""
    if lacking is None:
        return None
    return needs_sign_in(entry, installation, lacking.because, lacking.secrets, lacking.answer)


def needs_sign_in(
    entry: Entry, installation: Installation, because: str, secrets: Collection[str] = (), answer: str = ""
) -> InstallationRefusal:
    """The refusal, with what to do about it: which secrets or which answer to give again, where that is known.

    Where a caller is told, `cure.with_link` puts the page before that.
    """
    sentence = f"The installation {installation.name!r} of {entry.name} {because}."
    cure = to_give_again(entry, installation, secrets, answer)
    return InstallationRefusal("needs_sign_in", f"{sentence} {cure}")
