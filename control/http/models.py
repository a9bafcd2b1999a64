"""What the models of the admin API have in common: strict, closed, and field types with rules that a person can read.

Every rule is in the JSON schema too (`pattern`, `maxLength`), so what the OpenAPI document says is what holds.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
)
from pydantic_core import CoreSchema, PydanticCustomError, PydanticUndefined, core_schema

from control.registry.moments import in_utc

MARKS: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
"""Control characters and those that turn the direction of writing: they forge lines and names on a screen."""
UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_RFC3339: Final = r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)"
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


class Model(BaseModel):
    """A request's body or a part of one: only declared fields, no conversion of types, no change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Change(Model):
    """The body of a PATCH: what is named changes, the rest stays. Made of the fields of the body that creates:

        class TeamFields(Model): ...
        class NewTeam(TeamFields): ...
        class TeamChange(TeamFields, Change): ...

    Null is a value like others: taken where it means something, refused everywhere else.
    """

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """No field is required. Defaults only fill the gaps and are told to nobody."""
        for one in cls.model_fields.values():
            if one.is_required():
                one.default = None
        cls.model_rebuild(force=True)

    def changes(self) -> dict[str, Any]:
        """What is named, with all of its parts."""
        return self.model_dump(include=set(self.model_fields_set))

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The schema without defaults."""
        told = handler.resolve_ref_schema(handler(schema))
        for one in told.get("properties", {}).values():
            one.pop("default", None)
        return told


class View(Model):
    """An answer: every field is there. Made of the fields of the body that creates: `TeamView(TeamFields, Item)`."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """No field may be left out; a default is of the body that creates."""
        for one in cls.model_fields.values():
            one.default, one.default_factory = PydanticUndefined, None
        cls.model_rebuild(force=True)


class Query(BaseModel):
    """A query string: its text is converted, and only declared parameters are taken."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Worded:
    """A rule for text, `Annotated[str, Worded(...)]`: `pattern` must match all of it, `sentence` says so."""

    pattern: str
    sentence: str
    shortest: int = 0
    longest: int = 256

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The check: length first, so that no pattern runs on a text of any size."""
        bounded = core_schema.str_schema(min_length=self.shortest, max_length=self.longest)
        return core_schema.no_info_after_validator_function(self._check, bounded)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        """The same rule for the OpenAPI document."""
        told: dict[str, Any] = {"type": "string", "pattern": f"^(?:{self.pattern})$", "maxLength": self.longest}
        return told | ({"minLength": self.shortest} if self.shortest else {})

    def _check(self, text: str) -> str:
        if re.fullmatch(self.pattern, text) is None:
            raise PydanticCustomError("worded", "{sentence}", {"sentence": self.sentence})
        return text


class BothSpellings:
    """A rule for words, `Annotated[Scope, BothSpellings()]`: `organization` is taken for `organisation`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The same word in our spelling, then the check of the words."""
        return core_schema.no_info_before_validator_function(in_our_spelling, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Both words where they are taken; answers have ours."""
        told = handler(schema)
        if handler.mode == "validation" and "enum" in told:
            told["enum"] = [*told["enum"], "organization"]
        return told


def in_our_spelling(given: Any) -> Any:
    """`organisation` for the other spelling; anything else as it is."""
    return "organisation" if given == "organization" else given


def _rfc3339(given: Any) -> Any:
    # pydantic alone would take a number for seconds, and a date for its midnight.
    if isinstance(given, datetime):
        return given
    try:
        if isinstance(given, str) and re.fullmatch(_RFC3339, given):
            return datetime.fromisoformat(given.upper())
    except ValueError:
        pass  # a day or an hour that does not exist
    raise PydanticCustomError("moment", "must be a time such as 2030-01-31T12:00:00Z")


def _bounded(moment: datetime) -> datetime:
    if not _EARLIEST <= moment <= _LATEST:
        raise PydanticCustomError("moment", "must be between the years 1970 and 9000")
    return moment.astimezone(UTC)


Id = Annotated[
    str,
    Worded(
        UUID,
        "must be an identifier: lower case, with dashes, as lists show it",
        longest=36,
    ),
]
Name = Annotated[
    str,
    Worded(
        rf"[^\s{MARKS}](?:[^{MARKS}]*[^\s{MARKS}])?",
        "must be one line without control characters that neither begins nor ends with a space",
        shortest=1,
        longest=128,
    ),
]
Description = Annotated[
    str,
    Worded(
        rf"(?:[\n\t]|[^{MARKS}])*", "must not hold control characters other than new lines and tabs", longest=4096
    ),
]
Email = Annotated[
    str,
    Worded(r"[!-?A-~]{1,64}@[!-?A-~]{1,189}", "must be an address such as ann@example.com", shortest=3, longest=254),
]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_rfc3339),
    AfterValidator(_bounded),
    PlainSerializer(in_utc, return_type=str, when_used="json"),
]  # fmt: skip
"""A point in time, RFC 3339 with its offset; written in UTC."""


class Item(View):
    """An object of a list: it has an identifier, which stands first."""

    id: Id
