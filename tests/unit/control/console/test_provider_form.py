"""The form of an identity provider becomes what the API takes, and a provider becomes its form."""

from __future__ import annotations

from msgspec import structs

from control.admin.identity_provider_models import ProviderCreate, ProviderPatch
from control.console.forms import typed
from control.console.provider_form import form_of_provider, made_of, new_provider_form
from control.registry.identity_provider import Exchange
from control.registry.partial import provider_with
from tests.fakes.providers import a_provider


def test_a_form_with_what_must_be_typed_is_a_provider_that_people_sign_in_with() -> None:
    form = new_provider_form("sso")
    given = dict(form.given) | {"name": "Corp", "issuer": "https://id.example.com", "client_id": "archway"}
    typed_in = typed(given)
    wanted = typed_in.read(ProviderCreate, **made_of(typed_in))
    assert (wanted.slug, wanted.sign_in, wanted.match_email, wanted.create_people) == ("sso", True, True, False)
    assert wanted.scopes == ["openid", "profile", "email", "offline_access"]
    assert wanted.algorithms == ["RS256", "PS256", "ES256", "EdDSA"]


def test_the_form_of_a_provider_makes_the_same_provider_again() -> None:
    before = a_provider(
        authorize_parameters={"prompt": "", "hd": "corp.test"},
        audiences=("https://a.example.com", "two"),
        allowed_domains=("a.test", "b.test"),
        create_people=True,
        exchange=Exchange(enabled=True, client_id="exchanger", parameters={"a": "b"}),
    )
    form = form_of_provider(before, before.version)
    left_out = {"client_secret", "exchange_client_secret"}
    given = form.read(ProviderPatch, leave_out=left_out, **made_of(form)).changes()
    given["exchange"] = Exchange(**given["exchange"])
    after = provider_with(before, {**given, "exchange": structs.asdict(given["exchange"])})
    assert {name: getattr(after, name) for name in given} == {name: getattr(before, name) for name in given}
    assert "client_secret" not in given


def test_a_secret_is_never_put_into_the_form() -> None:
    assert form_of_provider(a_provider(client_secret=b"sealed"), 1).value("client_secret") == ""


def test_domains_are_set_apart_by_whatever_people_use() -> None:
    made = made_of(typed({"allowed_domains": "a.test, b.test\nc.test"}))
    assert made["allowed_domains"] == ["a.test", "b.test", "c.test"]
