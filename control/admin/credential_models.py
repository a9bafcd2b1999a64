"""The kinds of credentials and their settings in bodies, made of `control/registry/credential.py`: a kind that is
added there is known here. Made in the same way: what an entry's server is told of callers.
"""

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args, get_origin

import msgspec
from pydantic import Field as Bound
from pydantic import SerializerFunctionWrapHandler, create_model, model_serializer

from control.admin.named_settings import OfNamedKind
from control.http.models import Model
from control.registry.caller_statement import CallerStatement
from control.registry.credential import KINDS, KINDS_WITH_SETTINGS, settings_class

_NAMES: Final = {"static": "PlacementBody", "oauth": "OAuthSettings"}
"""Names in the OpenAPI document that are not `<Kind>Settings`."""


class _Settings(Model):
    """Settings of one kind: what is not named is not told on, so that it is no setting of another kind."""

    @model_serializer(mode="wrap")
    def _named_alone(self, told: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in told(self).items() if name in self.model_fields_set}


def settings_body(kind: str) -> type[Model]:
    """The model of this kind's settings."""
    name = _NAMES.get(kind, "".join(word.title() for word in kind.split("_")) + "Settings")
    return body_of(settings_class(kind), name, _Settings)


def body_of(declared: type[msgspec.Struct], name: str, base: type[Model] = Model) -> type[Model]:
    """The model of what an entry keeps as one structure: one field for each of its class."""
    fields: Any = {one.name: _field(one.type, _default(one)) for one in msgspec.structs.fields(declared)}
    return create_model(name, __base__=base, __doc__=declared.__doc__, **fields)


def statement_shown(statement: CallerStatement | None) -> Model | None:
    """What an entry keeps of it as a body, not judged again; None where its server is told nothing."""
    return None if statement is None else CallerStatementBody.model_construct(**msgspec.structs.asdict(statement))


def _default(one: Any) -> Any:
    """What a field is that is not named; NODEFAULT where it must be. An empty object is made by its factory."""
    return one.default if one.default_factory is msgspec.NODEFAULT else one.default_factory()


def _field(declared: Any, default: Any) -> tuple[Any, Any]:
    """Type and default as pydantic has them. Of what is annotated, texts and lengths are taken over."""
    kind, *rules = get_args(declared) if get_origin(declared) is Annotated else (declared,)
    told: dict[str, Any] = {}
    for rule in rules:
        if isinstance(rule, msgspec.Meta):
            names = ("description", "min_length", "max_length", "pattern", "ge", "le")
            told |= {name: getattr(rule, name) for name in names if getattr(rule, name) is not None}
    return kind, Bound(... if default is msgspec.NODEFAULT else default, **told)


if TYPE_CHECKING:
    CredentialModel = str
    CredentialSettings = Model
    CallerStatementBody = Model
else:
    CallerStatementBody = body_of(CallerStatement, "CallerStatement")
    CredentialModel = Literal[KINDS]
    _BODIES: Final = {kind: settings_body(kind) for kind in KINDS_WITH_SETTINGS}
    CredentialSettings = Annotated[reduce(or_, _BODIES.values()), OfNamedKind(_BODIES)]
