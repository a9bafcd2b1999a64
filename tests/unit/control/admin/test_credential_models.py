from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from control.admin.credential_models import CredentialModel, settings_body
from control.registry.credential import KINDS, KINDS_WITH_SETTINGS, settings_class

NEEDED = {
    "static": {"style"}, "token_exchange": {"identity_provider_id"}, "passthrough": {"audiences"},
    "id_jag": {"identity_provider_id", "issuer", "client_id"},
}  # fmt: skip
PlacementBody: Any = settings_body("static")


def test_the_models_are_the_kinds_that_there_are() -> None:
    assert TypeAdapter(CredentialModel).json_schema()["enum"] == list(KINDS)


@pytest.mark.parametrize("kind", KINDS_WITH_SETTINGS)
def test_the_settings_of_a_kind_are_its_fields(kind: str) -> None:
    body: type[BaseModel] = settings_body(kind)
    assert set(body.model_fields) == set(settings_class(kind).__struct_fields__)


def test_settings_are_described_and_bounded_as_their_class_says() -> None:
    told = PlacementBody.model_json_schema()
    assert told["title"] == "PlacementBody"
    assert told["required"] == ["style"]
    assert told["properties"]["style"]["enum"] == ["bearer", "authorization", "header", "variable", "file"]
    assert (told["properties"]["header"]["maxLength"], told["properties"]["header"]["default"]) == (64, "")
    assert "x-api-key" in told["properties"]["header"]["description"]


@pytest.mark.parametrize("given", [{}, {"style": "cookie"}, {"style": "bearer", "more": 1}])
def test_settings_of_another_form_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PlacementBody.model_validate(given)


def test_a_setting_that_is_needed_in_its_class_is_needed_in_a_body_and_no_other() -> None:
    for kind in KINDS_WITH_SETTINGS:
        required = {name for name, one in settings_body(kind).model_fields.items() if one.is_required()}
        assert required == NEEDED.get(kind, set()), kind
