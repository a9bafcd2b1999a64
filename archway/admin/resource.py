"""How a resource of the admin API is told to the command line. Its neighbours describe them, commands.py builds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["text", "number", "flag", "list", "map", "json", "reference", "references", "secrets", "prompt"]
"""How an option is read: `list` and `references` may be repeated, `map` takes name=value, `json` a JSON text,
`reference` the name or identifier of another object, `secrets` the names of secret values that are then asked for,
`prompt` nothing: the field's own value is asked for."""


@dataclass(frozen=True, slots=True)
class Option:
    """One field of a body, or one filter of a list."""

    name: str
    help: str
    kind: Kind = "text"
    of: str = ""
    """With a reference: the resource that it names, as in `REFERENCES`."""
    flag: str = ""
    """The option's name where it is not the field's."""

    @property
    def option(self) -> str:
        """As it is typed."""
        return "--" + (self.flag or self.name).replace("_", "-")


@dataclass(frozen=True, slots=True)
class Action:
    """A POST on one object, such as `revoke`."""

    name: str
    help: str
    done: str


@dataclass(frozen=True, slots=True)
class Resource:
    """A list in the admin API and what can be done with its items."""

    name: str
    one: str
    """A single one, in a sentence."""
    path: str
    help: str
    columns: tuple[str, ...]
    """Fields of the table for people."""
    filters: tuple[Option, ...] = ()
    create: tuple[Option, ...] = ()
    """Empty: cannot be made here."""
    update: tuple[Option, ...] = ()
    delete: bool = True
    show: bool = True
    actions: tuple[Action, ...] = ()
    parent: Option | None = None
    """A reference that fills `{parent}` in the path."""
    names: tuple[str, ...] = ("slug", "name")
    """Fields by which people may name an object instead of its identifier."""
    examples: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Per command, lines of examples."""
    after_create: Callable[[dict[str, Any]], str] | None = None
    """A sentence for a person about what was made."""


REFERENCES: dict[str, tuple[str, tuple[str, ...]]] = {
    "user": ("/users", ("email", "name")),
    "team": ("/teams", ("name",)),
    "entry": ("/entries", ("slug", "name")),
    "installation": ("/installations", ("name",)),
    "gateway": ("/gateways", ("slug", "name")),
}
"""Where an object of a kind is looked up, and by which fields."""
