import pytest

from control.credentials.kinds import client_credentials
from control.registry.broken_rule import BrokenRule
from control.registry.credential import ClientCredentials
from control.registry.targets import header
from core.egress.addresses import ANYWHERE

CLIENT = ClientCredentials(issuer="https://login.test")


def test_an_installation_brings_the_clients_identifier_as_a_plain_answer() -> None:
    checked = client_credentials.check(CLIENT, ANYWHERE)
    assert (checked.fills, checked.asks) == ((header("authorization"),), ("client_id",))


def test_the_clients_secret_goes_into_no_header() -> None:
    secrets = {"access_token": "abc", "credential": "s3cret"}
    assert client_credentials.headers(CLIENT, secrets) == [("authorization", "Bearer abc")]


def test_the_secret_is_needed_or_was_given_earlier() -> None:
    assert client_credentials.take(CLIENT, "s", {}, "CRM") == {"credential": "s"}
    assert client_credentials.take(CLIENT, None, {"credential": "old"}, "CRM") == {"credential": "old"}
    with pytest.raises(BrokenRule, match="is needed: CRM takes the secret"):
        client_credentials.take(CLIENT, None, {}, "CRM")


def test_a_secret_that_is_too_long_is_refused_without_being_repeated() -> None:
    with pytest.raises(BrokenRule, match="at most 16384") as refused:
        client_credentials.take(CLIENT, "s" * 20_000, {}, "CRM")
    assert "sss" not in str(refused.value)


def test_a_missing_secret_has_a_cure() -> None:
    cure = client_credentials.cure(CLIENT, ())
    assert cure is not None
    assert cure.option == "--credential"
    assert client_credentials.cure(CLIENT, ("credential",)) is None


def test_a_provider_must_be_named_since_a_secret_is_sent_to_it() -> None:
    with pytest.raises(BrokenRule, match="issuer: or token_endpoint is needed"):
        client_credentials.check(ClientCredentials(), ANYWHERE)


def test_a_client_without_a_secret_gets_no_token_for_itself() -> None:
    with pytest.raises(BrokenRule, match="must not be 'none'"):
        client_credentials.check(
            ClientCredentials(issuer="https://login.test", client_authentication="none"), ANYWHERE
        )
