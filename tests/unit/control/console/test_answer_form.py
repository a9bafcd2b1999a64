"""The questions of an entry become a form, and what is typed becomes answers; secrets are never put back."""

from __future__ import annotations

import pytest

from control.console.answer_form import answers_of_form, credential_question, form_of_answers, questions
from control.console.forms import Form
from control.registry.credential import ClientCredentials, Credential, NoCredential, OAuthCredential
from control.registry.fields import Field, FieldType
from tests.fakes.registry import BEARER, an_entry, an_installation

ENTRY = an_entry(
    fields=(
        Field("account", "string", "x-account", title="Account", description="From the invoice."),
        Field("token", "secret", "x-token"),
        Field("region", "select", "x-region", default="eu", options=("eu", "us")),
        Field("fast", "boolean", "x-fast", required=False),
    )
)
KEPT = an_installation(plain_values={"account": "12", "fast": False}, secret_names=("credential", "token"))


def test_each_field_is_a_question_with_its_kind_and_what_may_be_left_out() -> None:
    account, token, region, fast = questions(ENTRY)
    assert (account.name, account.label, account.required) == ("values.account", "Account", True)
    assert account.hint == "From the invoice. Sent as the header x-account."
    assert (token.label, token.type, token.stored) == ("token", "secret", False)
    assert (region.required, region.choices) == (False, (("eu", "eu"), ("us", "us")))
    assert fast.choices == (("", "not answered"), ("true", "yes"), ("false", "no"))


@pytest.mark.parametrize(
    ("credential", "label", "lines"),
    [
        (BEARER, "Key or token", False),
        (ClientCredentials(issuer="https://id.test"), "Client secret or private key", True),
    ],
)
def test_the_credential_is_asked_for_by_what_it_is(credential: Credential, label: str, lines: bool) -> None:
    asked = credential_question(an_entry(credential=credential))
    assert asked is not None
    assert (asked.label, asked.lines, asked.stored) == (label, lines, False)
    kept = credential_question(an_entry(credential=credential), KEPT)
    assert kept is not None
    assert (kept.stored, kept.hint) == (True, "One is stored. Type another to replace it.")


@pytest.mark.parametrize("credential", [NoCredential(), OAuthCredential()])
def test_no_credential_is_asked_for_where_an_installation_brings_none(credential: Credential) -> None:
    assert credential_question(an_entry(credential=credential)) is None


def test_an_answer_that_stands_in_the_address_says_so() -> None:
    (question,) = questions(an_entry("https://{region}.example.com/", fields=(Field("region", "string"),)))
    assert question.hint == "Stands in the server's address or command, for {region}."


def test_a_secret_that_is_stored_says_so_and_need_not_be_typed_again() -> None:
    token = questions(ENTRY, KEPT)[1]
    assert (token.stored, token.required) == (True, False)
    assert token.hint.startswith("One is stored. Type another to replace it.")


def test_the_form_has_plain_answers_and_defaults_and_never_a_secret() -> None:
    assert form_of_answers(ENTRY, KEPT) == {
        "values.account": "12", "values.token": "", "values.region": "eu", "values.fast": "false",
    }  # fmt: skip
    assert form_of_answers(ENTRY)["values.account"] == ""


def test_an_answer_that_is_left_empty_is_taken_away_but_a_stored_secret_stays() -> None:
    form = Form({"values.account": "", "values.token": "", "values.region": "us", "values.fast": "true"})
    kept = answers_of_form(ENTRY, form, KEPT.secret_names)
    assert kept == {"account": None, "region": "us", "fast": True}
    assert answers_of_form(ENTRY, form)["token"] is None
    taken = answers_of_form(ENTRY, Form({**form.given, "take.token": "true"}), KEPT.secret_names)
    assert taken["token"] is None


@pytest.mark.parametrize(
    ("kind", "text", "answer"),
    [
        ("number", "7", 7),
        ("number", "7.5", 7.5),
        ("number", "many", "many"),
        ("boolean", "false", False),
        ("boolean", "perhaps", "perhaps"),
        ("url", "https://a.example", "https://a.example"),
    ],
)
def test_an_answer_has_the_type_of_its_field_where_it_can(kind: FieldType, text: str, answer: object) -> None:
    entry = an_entry(fields=(Field("one", kind, "x-one"),))
    assert answers_of_form(entry, Form({"values.one": text})) == {"one": answer}
