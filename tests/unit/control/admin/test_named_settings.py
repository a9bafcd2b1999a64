"""What is wrong with an entry's settings is said of the kind of credential that is named."""

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from control.admin.entry_models import EntryCreate, EntryPatch
from control.http.reading import field_path, sentence

BODY = {"slug": "crm", "name": "CRM", "url": "https://crm.example/mcp"}
A_TYPO = {"identity_provider_id": "0199", "scope": ["x"]}


def faults(settings: Any, model: type[EntryCreate | EntryPatch] = EntryCreate, **named: Any) -> list[str]:
    body = BODY | named | {"credential_placement": settings}
    with pytest.raises(ValidationError) as refused:
        model.model_validate_json(orjson.dumps(body))
    return [f"{field_path(one['loc'], body)}: {sentence(one)}" for one in refused.value.errors()]


def test_a_typo_is_told_of_the_named_kind_alone_with_what_may_be_meant() -> None:
    told = ["credential_placement.scope: is not a known field; did you mean scopes?"]
    assert faults(A_TYPO, credential_model="token_exchange") == told


def test_a_change_that_names_no_kind_is_told_of_the_one_that_fits_best() -> None:
    told = ["credential_placement.scope: is not a known field; did you mean scopes?"]
    assert faults(A_TYPO, EntryPatch) == told


def test_each_fault_of_the_named_kind_is_told_and_of_a_name_that_is_like_none_no_other() -> None:
    assert faults({"scopes": 1, "zzz": 2}, credential_model="token_exchange") == [
        "credential_placement.identity_provider_id: is required",
        "credential_placement.scopes: must be a list",
        "credential_placement.zzz: is not a known field",
    ]


def test_what_is_no_object_is_said_once() -> None:
    assert len(faults(4, credential_model="static")) == 1


def test_a_list_of_the_settings_is_read_as_json_has_it() -> None:
    body = BODY | {"credential_model": "oauth", "credential_placement": {"scopes": ["a"]}}
    settings = EntryCreate.model_validate_json(orjson.dumps(body)).credential_placement
    assert settings is not None
    assert settings.model_dump() == {"scopes": ("a",)}


def test_the_openapi_document_has_the_settings_of_each_kind_as_an_alternative() -> None:
    schema = EntryCreate.model_json_schema()["properties"]["credential_placement"]
    told = {one.get("$ref", "").rpartition("/")[2] for one in schema["anyOf"][0].get("anyOf", schema["anyOf"])}
    assert {"PlacementBody", "OAuthSettings", "TokenExchangeSettings", "PassthroughSettings"} <= told
