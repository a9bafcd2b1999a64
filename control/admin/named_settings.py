"""Checks an entry's `credential_placement` against the kind of credential that `credential_model` names.

    CredentialSettings = Annotated[StaticSettings | OAuthSettings, OfNamedKind({"static": ..., "oauth": ...})]

Used by `credential_models.py`. Of alternatives pydantic tells what is wrong with each; whoever named one wants to
know of that one. Where none is named, as in a change, it is the alternative with the fewest faults. The OpenAPI
document has the alternatives as they are.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import reduce
from operator import or_
from typing import Any, Final

from pydantic import (
    BaseModel,
    GetCoreSchemaHandler,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
)
from pydantic_core import CoreSchema, ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema, to_json

_NAMED_BY: Final = "credential_model"
"""The field of the same body that stands before the settings."""


class OfNamedKind:
    """A rule for a union of models, by the kind whose settings each is."""

    def __init__(self, models: Mapping[str, type[BaseModel]]) -> None:
        self._models = models
        self._union: TypeAdapter[Any] = TypeAdapter(reduce(or_, models.values()))

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The union's check, with less said of what fits none."""
        return core_schema.with_info_wrap_validator_function(self._checked, handler(source))

    def _checked(self, given: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        try:
            # A list of JSON is no tuple to a strict model unless it is read as JSON, and here it is read already.
            return self._union.validate_json(to_json(given)) if info.mode == "json" else handler(given)
        except ValidationError as error:
            faults = error.errors(include_url=False)
            title = error.title
        by_model: dict[str, list[ErrorDetails]] = {model.__name__: [] for model in self._models.values()}
        for fault in faults:
            by_model[str(fault["loc"][0])].append(fault)
        named = self._models.get((info.data or {}).get(_NAMED_BY, ""))
        model = named or min(self._models.values(), key=lambda one: len(by_model[one.__name__]))
        told = [_told(fault, model) for fault in by_model[model.__name__]]
        raise ValidationError.from_exception_data(title, told, hide_input=True)


def _told(fault: ErrorDetails, model: type[BaseModel]) -> InitErrorDetails:
    """The same fault; of a field that there is not, with the one that may be meant."""
    kind, told, where = fault["type"], fault["msg"], fault["loc"]
    context: dict[str, Any] = fault.get("ctx", {})
    if kind == "extra_forbidden" and len(where) == 2:
        near = get_close_matches(str(where[1]), model.model_fields, n=1)
        if near:
            kind, told = "unknown_field", f"is not a known field; did you mean {near[0]}?"
    return InitErrorDetails(type=PydanticCustomError(kind, told, context), loc=where, input=fault["input"])
