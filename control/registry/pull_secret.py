"""A credential of an image registry: one whose password is kept here, or the name of one that the cluster has.

Made by `control/store/pull_secrets.py` of a row, and by nobody else. The password is sealed only, and told to nobody.
Leaves out who sees it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

PullSecretKind = Literal["registry", "cluster"]
"""Of a registry, with user and password; or a secret that somebody else keeps in the namespace of the servers."""
OPT_IN_LABEL: Final = "archway.dev/pull-secret"
"""With the value `true` on a secret of the cluster: that it may be named here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullSecretFields:
    """What a person sets, apart from the password."""

    name: str
    team_id: str | None = None
    """The team that sees it; None: those who administer servers alone."""
    kind: PullSecretKind = "registry"
    registry: str = ""
    """Host of the registry, perhaps with a port; '' for one of the cluster."""
    username: str = ""
    secret_name: str = ""
    """Of the secret in the cluster; '' for one of a registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPullSecret(PullSecretFields):
    """What a pull secret is made of: checked, with its password sealed."""

    password: bytes | None = field(repr=False)
    created_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPullSecret(NewPullSecret):
    """A credential of an image registry that is kept, with its identifier and version."""

    id: str
    created_at: datetime
    updated_at: datetime
    version: int
