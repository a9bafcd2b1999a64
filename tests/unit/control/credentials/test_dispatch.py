"""Each credential goes to the file of its kind, whatever kinds there are."""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Callable

import pytest

from control.credentials import dispatch
from control.registry.credential import (
    KINDS,
    ClientCredentials,
    Credential,
    IdentityAssertion,
    NoCredential,
    OAuthCredential,
    Passthrough,
    StaticCredential,
    TokenExchange,
    settings_class,
)
from core.egress.addresses import ANYWHERE

SAMPLES: dict[str, Credential] = {
    "none": NoCredential(),
    "static": StaticCredential("bearer"),
    "oauth": OAuthCredential(),
    "client_credentials": ClientCredentials(issuer="https://login.test"),
    "token_exchange": TokenExchange("p", audience="crm"),
    "id_jag": IdentityAssertion("p", "https://as.test", "us"),
    "passthrough": Passthrough(("crm",)),
}
FUNCTIONS = ("check", "take", "headers", "places", "cure")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_kind_has_a_file_with_the_same_functions(kind: str, function: str) -> None:
    module = importlib.import_module(f"control.credentials.kinds.{kind}")
    wanted, found = typing.get_type_hints(getattr(dispatch, function)), getattr(module, function)
    assert typing.get_type_hints(found)["return"] == wanted["return"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_goes_to_the_file_of_each_kind(kind: str, function: str) -> None:
    source = " ".join(inspect.getsource(getattr(dispatch, function)).split())
    assert f"case {settings_class(kind).__name__}(): return {kind}.{function}(credential" in source


@pytest.mark.parametrize(("kind", "credential"), SAMPLES.items())
def test_a_credential_goes_to_the_file_of_its_kind(kind: str, credential: Credential) -> None:
    module, given = importlib.import_module(f"control.credentials.kinds.{kind}"), None
    held = {"credential": "k", "access_token": "t"}
    assert dispatch.check(credential, ANYWHERE) == module.check(credential, *_more(module.check))
    assert dispatch.take(credential, given, held, "CRM") == module.take(credential, given, held, "CRM")
    assert dispatch.headers(credential, held) == module.headers(credential, held)
    assert dispatch.places(credential) == module.places(credential)
    assert dispatch.cure(credential, ()) == module.cure(credential, ())


@pytest.mark.parametrize("credential", SAMPLES.values())
def test_each_secret_that_a_kind_takes_has_a_place(credential: Credential) -> None:
    """Else it would be bound to nothing, and sent nowhere."""
    taken = dispatch.take(credential, None, {"credential": "k"}, "CRM")
    assert set(taken) == set(dispatch.places(credential))


def _more(check: Callable[..., object]) -> list[object]:
    """The address policy, for the kinds whose settings hold addresses; no URLs of ours for those that must not."""
    asks = inspect.signature(check).parameters
    return [ANYWHERE] if "policy" in asks else [()] if "own_urls" in asks else []
