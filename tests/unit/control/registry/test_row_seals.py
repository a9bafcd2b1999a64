from dataclasses import replace

import pytest

from control.registry.account import AccountTokens
from control.registry.row_seals import RowSeals
from core.keys import new_key, parse_key_ring
from core.sealing import SealBroken
from tests.fakes.registry import an_account, an_entry, an_installation

RING = parse_key_ring("ARCHWAY_SECRET_KEY", new_key())


def test_what_a_row_keeps_sealed_opens_for_that_row() -> None:
    seals = RowSeals(RING)
    entry = an_entry(
        fixed_headers=seals.fixed_headers("e1", {"x-a": "1"}), run_secrets=seals.run_secrets("e1", {"TOKEN": "t"})
    )
    installation = an_installation(secret_values=seals.secret_values("i1", {"credential": "k"}))
    opened = RowSeals(RING).open(entry, installation)
    assert opened.fixed_headers == {"x-a": "1"}
    assert opened.values == {"credential": "k"}
    assert opened.run_secrets == {"TOKEN": "t"}
    assert opened.all == {"1", "k", "t"}
    assert repr(opened) == "OpenedSecrets()"


def test_a_value_copied_to_another_row_opens_for_nobody() -> None:
    stolen = RowSeals(RING).secret_values("i1", {"credential": "k"})
    with pytest.raises(SealBroken):
        RowSeals(RING).open(an_entry(), an_installation(id="i2", secret_values=stolen))
    fixed = RowSeals(RING).fixed_headers("e1", {"x-a": "1"})
    with pytest.raises(SealBroken):
        RowSeals(RING).open(an_entry(id="e2", fixed_headers=fixed), an_installation())


def test_a_password_of_a_registry_opens_for_that_registry_and_user_alone() -> None:
    seals = RowSeals(RING)
    sealed = seals.pull_password("p1", "registry.test", "robot", "s")
    assert seals.open_pull_password("p1", "registry.test", "robot", sealed) == "s"
    for moved in (("p2", "registry.test", "robot"), ("p1", "evil.test", "robot"), ("p1", "registry.test", "other")):
        with pytest.raises(SealBroken):
            seals.open_pull_password(*moved, sealed)


def test_secret_values_open_again_to_change_some_of_them() -> None:
    seals = RowSeals(RING)
    assert seals.open_secret_values("i", seals.secret_values("i", {"pin": "1"})) == {"pin": "1"}
    assert seals.open_secret_values("i", None) == {}


def test_nothing_to_seal_is_kept_as_null() -> None:
    assert RowSeals(RING).secret_values("i", {}) is None
    assert RowSeals(RING).fixed_headers("e", {}) is None


@pytest.mark.parametrize("moved", ["place", "issuer", "token_endpoint", "revocation_endpoint", "resource"])
def test_tokens_open_only_in_the_row_that_says_where_they_may_go(moved: str) -> None:
    seals, given = RowSeals(RING), an_account()
    kept = replace(given, tokens=seals.account_tokens("i1", given, AccountTokens("a", "r")))
    assert seals.open_account_tokens(kept) == AccountTokens("a", "r")
    assert seals.open(an_entry(), an_installation(), kept).values == {"access_token": "a"}
    with pytest.raises(SealBroken):
        seals.open_account_tokens(replace(kept, **{moved: "https://thief.test"}))
    with pytest.raises(SealBroken):
        seals.open_account_tokens(replace(kept, installation_id="i2"))


def test_a_clients_secret_opens_for_its_own_provider_alone() -> None:
    seals = RowSeals(RING)
    sealed = seals.entry_client_secret("e1", "here", "s")
    assert seals.open_entry_client_secret("e1", "here", sealed) == "s"
    with pytest.raises(SealBroken):
        seals.open_entry_client_secret("e1", "there", sealed)
    assert seals.entry_client_secret("e1", "here", "") is None
    assert seals.open_entry_client_secret("e1", "here", None) == ""
    registered = seals.upstream_client_secret("c1", "https://a.test", "s")
    assert seals.open_upstream_client_secret("c1", "https://a.test", registered) == "s"
    with pytest.raises(SealBroken):
        seals.open_upstream_client_secret("c1", "https://b.test", registered)


def test_the_parts_of_a_sign_in_are_not_taken_for_each_other() -> None:
    seals = RowSeals(RING)
    sealed = seals.sign_in("s1", "begun", b"verifier")
    assert seals.open_sign_in("s1", "begun", sealed) == b"verifier"
    with pytest.raises(SealBroken):
        seals.open_sign_in("s1", "tokens", sealed)
