"""A credential of an image registry: one whose password is kept here, or the name of one that the cluster has.

Made by `control/store/pull_secrets.py` of a row, and by nobody else. The password is sealed only, and told to nobody.
The functions here are the rules; who sees and changes one is said by its owner, a team or the organisation.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Final, Literal

from control.registry.broken_rule import BrokenRule
from control.registry.images import check_registry
from control.registry.owner import Organisation, Owner, TeamOwner

PullSecretKind = Literal["registry", "cluster"]
"""Of a registry, with user and password; or a secret that somebody else keeps in the namespace of the servers."""
OPT_IN_LABEL: Final = "archway.dev/pull-secret"
"""With the value `true` on a secret of the cluster: that it may be named here."""
MAX_USERNAME: Final = 255
MAX_PASSWORD: Final = 4_096
"""Characters: tokens of cloud registries have more than 2,000."""
MAX_SECRET_NAME: Final = 253
_SECRET_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
"""A DNS subdomain (RFC 1123), as Kubernetes names objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullSecretFields:
    """What a person sets of a credential of an image registry, apart from the password."""

    name: str
    team_id: str | None = None
    """The team that sees and uses it; None: the organisation's."""
    kind: PullSecretKind = "registry"
    registry: str = ""
    """Host of the registry, perhaps with a port; '' for one of the cluster."""
    username: str = ""
    secret_name: str = ""
    """Of the secret in the cluster; '' for one of a registry."""

    @property
    def owner(self) -> Owner:
        """Whose it is."""
        return Organisation() if self.team_id is None else TeamOwner(self.team_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPullSecret(PullSecretFields):
    """A credential of an image registry as somebody asks for it, before it is checked."""

    password: str | None = field(default=None, repr=False)
    """None: the one that it has stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPullSecret(PullSecretFields):
    """What a credential of an image registry is made of: checked, with its password sealed."""

    password: bytes | None = field(repr=False)
    created_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPullSecret(NewPullSecret):
    """A credential of an image registry that is kept, with its identifier and version."""

    id: str
    created_at: datetime
    updated_at: datetime
    version: int


def told_of_pull_secret(kept: KeptPullSecret) -> dict[str, Any]:
    """All that people are told of it: never the password."""
    return {one.name: getattr(kept, one.name) for one in fields(kept) if one.name != "password"}


def pull_secret_fields(kept: PullSecretFields) -> dict[str, Any]:
    """Its fields by their names, to make another of them."""
    return {one.name: getattr(kept, one.name) for one in fields(PullSecretFields)}


def pull_secret_with(before: KeptPullSecret, given: Mapping[str, Any]) -> WantedPullSecret:
    """The pull secret with the given parts; the password stays unless it is among them."""
    return WantedPullSecret(**{**pull_secret_fields(before), **given})


def is_secret_name(text: str) -> bool:
    """Whether a secret of the cluster can have this name."""
    return len(text) <= MAX_SECRET_NAME and _SECRET_NAME.fullmatch(text) is not None


def check_pull_secret(wanted: WantedPullSecret, before: KeptPullSecret | None = None) -> WantedPullSecret:
    """In the form that is kept, or BrokenRule. A password goes to no other registry, and is of no other user, than it
    was given for.
    """
    if before is not None and wanted.kind != before.kind:
        raise BrokenRule("kind", "is settled when a pull secret is made; make another one")
    if before is not None and wanted.team_id not in {None, before.team_id}:
        raise BrokenRule("team_id", "is settled when a pull secret is made; null makes it the organisation's")
    if wanted.kind == "cluster":
        return _checked_of_cluster(wanted)
    if wanted.secret_name:
        raise BrokenRule("secret_name", "goes with the kind 'cluster'; leave it out for a registry")
    registry = check_registry(wanted.registry, "registry")
    name = wanted.username
    if not 1 <= len(name) <= MAX_USERNAME or not name.isprintable() or ":" in name:
        raise BrokenRule("username", f"must be one line of 1 to {MAX_USERNAME} characters without ':'")
    given = wanted.password
    if given is None and (before is None or (before.registry, before.username) != (registry, name)):
        raise BrokenRule("password", f"is needed for {name} at {registry}")
    if given is not None and (not 1 <= len(given) <= MAX_PASSWORD or not given.isprintable()):
        raise BrokenRule("password", f"must be one line of 1 to {MAX_PASSWORD} characters")
    return replace(wanted, registry=registry)


def _checked_of_cluster(wanted: WantedPullSecret) -> WantedPullSecret:
    for name in ("registry", "username", "password"):
        if getattr(wanted, name):
            raise BrokenRule(name, "goes with the kind 'registry'; leave it out for a secret that the cluster has")
    if not is_secret_name(wanted.secret_name):
        raise BrokenRule("secret_name", "must be the name of a Kubernetes secret: a-z, 0-9, '-' and '.'")
    return wanted
