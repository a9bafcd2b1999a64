"""Bodies of the admin API for image pull secrets. Rules between fields are in `control/registry/pull_secret.py`."""

from typing import Annotated

from pydantic import Field as Bound

from control.http.models import Change, Id, Item, Model, Moment, Name
from control.http.paging import NamedPageQuery
from control.registry.pull_secret import (
    MAX_PASSWORD,
    MAX_SECRET_NAME,
    MAX_USERNAME,
    OPT_IN_LABEL,
    PullSecretKind,
)


class PullSecretFields(Model):
    """Fields of a pull secret that are set and shown."""

    name: Name
    kind: PullSecretKind = Bound(
        "registry",
        description="`registry`: user and password of one; `cluster`: a secret that somebody else keeps there.",
    )
    team_id: Id | None = Bound(
        None, description="The team that sees it, and whose entries alone may name it. Null: the organisation's."
    )
    registry: Annotated[str, Bound(max_length=255)] = Bound(
        "", description="With `registry`: its host, such as `registry.example.com`."
    )
    username: Annotated[str, Bound(max_length=MAX_USERNAME)] = ""
    secret_name: Annotated[str, Bound(max_length=MAX_SECRET_NAME)] = Bound(
        "",
        description="With `cluster`: the name of a secret in the servers' namespace that carries the label "
        f"`{OPT_IN_LABEL}=true`.",
    )


class NewPullSecret(PullSecretFields):
    """A new credential of an image registry, or the name of one in the cluster."""

    password: Annotated[str, Bound(max_length=MAX_PASSWORD)] | None = Bound(
        None, description="With `registry`: sealed, and never shown again."
    )


class PullSecretChange(PullSecretFields, Change):
    """What changes of a pull secret: the fields that are named."""

    password: Annotated[str, Bound(max_length=MAX_PASSWORD)] = Bound(
        "", description="Another one. Required when registry or user changes."
    )


class PullSecretView(PullSecretFields, Item):
    """A pull secret as it is shown: never its password."""

    created_by: Id | None
    created_at: Moment
    updated_at: Moment
    version: int


class PullSecretQuery(NamedPageQuery):
    """Filters of the list of pull secrets."""

    name: Annotated[str | None, Bound(max_length=128)] = None
