"""The form of a credential is drawn from the classes that declare the kinds: none is forgotten."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest

from control.admin.credential_models import settings_body
from control.console import credential_form
from control.console.credential_form import (
    KIND_WORDS,
    SETTING_WORDS,
    VALUE_WORDS,
    credential_of_form,
    field_of_setting,
    form_of_credential,
    kind_label,
    kinds,
)
from control.console.forms import Form
from control.registry.credential import (
    KINDS,
    OAuthCredential,
    StaticCredential,
    credential_of,
    settings_class,
    settings_of,
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_offered_with_each_of_its_settings_in_words(kind: str) -> None:
    (offered,) = (one for one in kinds() if one.kind == kind)
    assert [one.setting for one in offered.settings] == list(settings_class(kind).__struct_fields__)
    assert kind in KIND_WORDS
    for one in offered.settings:
        assert one.setting in SETTING_WORDS, one.setting
        assert {value for value, _ in one.choices} <= set(VALUE_WORDS), one.setting


@pytest.mark.parametrize("kind", [one for one in KINDS if settings_class(one).__struct_fields__])
def test_the_form_with_what_is_needed_sends_what_the_api_takes(kind: str) -> None:
    (offered,) = (one for one in kinds() if one.kind == kind)
    typed = {one.name: "x" for one in offered.settings if one.required and one.widget != "choice"}
    form = Form({**form_of_credential(kind, {}), **typed})
    sent = credential_of_form(form)
    assert sent["credential_model"] == kind
    settings_body(kind).model_validate(sent["credential_placement"])


def test_what_an_admin_fills_in_for_signing_in_is_what_the_api_takes() -> None:
    typed = {
        "credential_model": "oauth", "oauth-registration": "own", "oauth-client_id": "archway",
        "oauth-issuer": "https://id.example.com", "oauth-scopes": "read, write",
        "oauth-authorize_parameters": "access_type=offline\nprompt=",
        "oauth-approved_hosts": "https://a.example.com https://b.example.com",
    }  # fmt: skip
    sent = credential_of_form(Form({**form_of_credential("oauth", {}), **typed}))
    told = settings_body("oauth").model_validate(sent["credential_placement"]).model_dump()
    made = credential_of("oauth", told)
    assert isinstance(made, OAuthCredential)
    assert (made.registration, made.client_id, made.scopes) == ("own", "archway", ("read", "write"))
    assert made.authorize_parameters == {"access_type": "offline", "prompt": ""}
    assert made.approved_hosts == ("https://a.example.com", "https://b.example.com")
    again = credential_of_form(Form(form_of_credential("oauth", settings_of(made))))
    assert credential_of("oauth", again["credential_placement"]) == made


def test_the_form_of_a_credential_makes_the_same_credential_again() -> None:
    before = StaticCredential("header", "x-api-key")
    made = credential_of_form(Form(form_of_credential("static", settings_of(before))))
    assert credential_of(made["credential_model"], made["credential_placement"]) == before


def test_settings_of_kinds_that_are_not_chosen_are_left_alone() -> None:
    given = {**form_of_credential("static", {"style": "header", "header": "x-a"}), "credential_model": "none"}
    assert credential_of_form(Form(given)) == {"credential_model": "none", "credential_placement": None}
    assert credential_of_form(Form({"credential_model": "made up"}))["credential_placement"] is None


def test_what_is_wrong_stands_at_the_setting_of_the_kind() -> None:
    assert field_of_setting("credential_placement.header", "static") == "static-header"
    assert field_of_setting("credential_placement", "static") == "static-style"
    for path, kind in (("slug", "static"), ("credential_placement", "none"), ("credential_placement.x", "static")):
        assert field_of_setting(path, kind) == path


class EveryType(msgspec.Struct, frozen=True, tag="every"):
    """A kind that has each type of setting."""

    must: str
    word: Literal["a", "b"] = "b"
    flag: bool = False
    hosts: tuple[str, ...] = ()
    more: Annotated[dict[str, str], msgspec.Meta(description="What is sent `besides`.")] = {}


def test_each_type_of_setting_has_its_widget_and_comes_back_as_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credential_form, "KINDS", ("every",))
    monkeypatch.setattr(credential_form, "settings_class", lambda _: EveryType)
    (every,) = kinds()
    assert [one.widget for one in every.settings] == ["text", "choice", "tick", "words", "pairs"]
    assert [one.required for one in every.settings] == [True, False, False, False, False]
    assert (every.settings[4].label, every.settings[4].hint) == ("More", "What is sent besides.")
    assert kind_label("every_kind") == "every kind"
    settings: dict[str, Any] = {"must": "x", "word": "a", "flag": True, "hosts": ("h1", "h2"), "more": {"p": "1=2"}}
    form = Form(form_of_credential("every", settings))
    assert credential_of_form(form)["credential_placement"] == settings
    empty = credential_of_form(Form(form_of_credential("every", {})))["credential_placement"]
    assert empty == {"word": "b", "flag": False}


def test_an_identity_provider_is_chosen_among_those_that_exchange() -> None:
    for kind in ("token_exchange", "id_jag"):
        (offered,) = (one for one in kinds([("p1", "Corp")]) if one.kind == kind)
        (named,) = (one for one in offered.settings if one.setting == "identity_provider_id")
        assert (named.widget, named.choices) == ("choice", (("", "Choose one"), ("p1", "Corp")))
