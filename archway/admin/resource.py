"""How a resource of the admin API is told to the command line. Its neighbours describe them, commands.py builds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from archway.admin_client import AdminApi

Kind = Literal[
    "text",
    "number",
    "flag",
    "list",
    "map",
    "json",
    "reference",
    "references",
    "owner",
    "principal",
    "secrets",
    "prompt",
    "period",
    "moment",
    "command",
    "file",
]
"""How an option is read: `list` and `references` may be repeated, `map` takes name=value, `json` a JSON text,
`reference` the name or identifier of another object, `owner` that of a team, or `organisation`,
`principal` a caller by e-mail, name or team,
`secrets` the names of secret values that are then asked for,
`prompt` nothing: the field's own value is asked for,
`period` how far ahead a moment lies, such as `90d`, `moment` how far back, or the moment itself,
`command` a program with its arguments, quoted as for a shell,
`file` the name of a file that holds the value, - for standard input, '' for none."""


@dataclass(frozen=True, slots=True)
class Option:
    """One command-line option: a field of a request's body, or a filter of a list."""

    name: str
    help: str
    kind: Kind = "text"
    of: str = ""
    """With a reference: the resource that it names, as in `REFERENCES`."""
    flag: str = ""
    """The option's name where it differs from the field's."""
    needed: bool = False
    """The help of `create` says so; the body's file may have it instead."""
    example: str = ""
    """A value that would do, for options whose form is not obvious."""
    examples_by: tuple[str, Mapping[str, str]] = ("", MappingProxyType({}))
    """The option whose value says which form this one has, and a value that would do by that; else `example`."""
    part: Literal["", "add", "remove"] = ""
    """Adds to the field's list or map, or removes from it; else the whole is replaced."""
    member: str = ""
    """Where the field is an object: the member that this option is, such as `resources.memory`; '' for all of it."""
    empties: bool = False
    """Of a member: '' alone leaves the field with no object at all."""
    words: tuple[str, ...] = ()
    """The words that it takes, where these are few; shells offer them."""

    def example_for(self, given: Mapping[str, Any]) -> str:
        """A value that would do beside what is given, by the options' names; '' where none is known."""
        decides, examples = self.examples_by
        return examples.get(given.get(decides) or "", self.example)

    def of_it(self, told: Mapping[str, Any]) -> Any:
        """What an object says of this option's field or member; None for nothing."""
        value: Any = told.get(self.name)
        for name in self.member.split(".") if self.member else ():
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    @property
    def field(self) -> str:
        """The path by which the API names it, such as `resources.memory`."""
        return f"{self.name}.{self.member}" if self.member else self.name

    @property
    def option(self) -> str:
        """The option as it is typed, such as `--team`."""
        return "--" + (self.flag or self.name).replace("_", "-")


def in_parts(
    name: str, flag: str, kind: Kind, what: str, *, of: str = "", whole: str = "", member: str = ""
) -> tuple[Option, ...]:
    """Three options of a change for one list or map: replace the whole, add to it, remove from it."""
    beside, gone = f"{what}, beside those that are there; may be repeated.", "One to take away; may be repeated."
    remove: Kind = "list" if kind == "map" else kind
    return (
        Option(
            name,
            f"{what}, in place of ALL that are there; may be repeated; '' for none.",
            kind,
            of=of,
            flag=whole or flag,
            member=member,
        ),
        Option(name, beside, kind, of=of, flag=f"add_{flag}", part="add", member=member),
        Option(name, gone, remove, of=of, flag=f"remove_{flag}", part="remove", member=member),
    )


@dataclass(frozen=True, slots=True)
class Action:
    """A POST on one object, such as `revoke`."""

    name: str
    help: str
    done: str
    failed: Callable[[Mapping[str, Any]], str] | None = None
    """Of what it answers: why it did not do what it should, so that the command ends with 1; '' where it did."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A list in the admin API and what can be done with its items."""

    name: str
    one: str
    """What a sentence calls a single one."""
    path: str
    help: str
    columns: tuple[str, ...]
    """Fields of the table for people."""
    filters: tuple[Option, ...] = ()
    create: tuple[Option, ...] = ()
    """Fields of a new one; empty where none can be made here."""
    update: tuple[Option, ...] = ()
    delete: bool = True
    cascade: bool = False
    """Whether a deletion may take along what depends on it."""
    show: bool = True
    follow: bool = False
    """Whether its list can be followed as new items come; each has an `id` and a `time`."""
    actions: tuple[Action, ...] = ()
    listed_alone: bool = False
    """Whether the resource's own name lists it too, without `list`."""
    parent: Option | None = None
    """A reference that fills `{parent}` in the path."""
    spent: Callable[[Mapping[str, Any]], bool] | None = None
    """Says of an item that it can be changed no more: where several have one name, another is meant."""
    names: tuple[str, ...] = ("slug", "name")
    """Fields by which people may name an object instead of its identifier."""
    examples: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Per command, lines of examples."""
    why_not_ready: Callable[[Mapping[str, Any]], str] | None = None
    """Of what was made, acted on, or changed in `made_ready_by`; '' where it is in order, else said with status 1."""
    made_ready_by: frozenset[str] = frozenset()
    after_create: Callable[[dict[str, Any]], str] | None = None
    """A sentence for a person about what was made."""
    for_people: Callable[[AdminApi, list[dict[str, Any]]], list[dict[str, Any]]] | None = None
    """Puts names in the place of identifiers, in tables only."""
    after_list: Callable[[list[dict[str, Any]]], str] | None = None
    """What follows a table, for people; '' for nothing."""
    apart: tuple[str, ...] = ()
    """Fields that `after_sheet` shows in its own way."""
    after_sheet: Callable[[AdminApi, dict[str, Any]], str] | None = None
    """What follows one object's fields, for people."""


REFERENCES: dict[str, tuple[str, tuple[str, ...]]] = {
    "user": ("/users", ("email", "name")),
    "team": ("/teams", ("name",)),
    "role": ("/roles", ("name",)),
    "entry": ("/entries", ("slug", "name")),
    "installation": ("/installations", ("name", "address")),
    "gateway": ("/gateways", ("slug", "name")),
    "identity_provider": ("/identity-providers", ("slug", "name")),
    "pull_secret": ("/pull-secrets", ("name",)),
    "environment": ("/environments", ("name",)),
    "egress_preset": ("/egress-presets", ("name",)),
    "oauth_client": ("/oauth-clients", ("name", "client_id")),
}
"""Where an object of a kind is looked up, and by which fields."""
FINDS_BY_NAME = frozenset({"/installations"})
"""Lists whose filter `name` knows more names of an object than its fields show: those of its owner."""
