import stat

import pytest

from archway.up.keys_file import keys_for, read_keys, verify_keys
from core.keys import BadKey, new_key, parse_key_ring
from core.signing import Signer, Verifier


def test_the_first_start_makes_three_different_keys_and_keeps_them(tmp_path):
    first = keys_for(tmp_path / "keys.env", {})
    second = keys_for(tmp_path / "keys.env", {})

    assert first == second
    assert len({first["ARCHWAY_SECRET_KEY"], first["ARCHWAY_PROXY_KEY"], first["ARCHWAY_SIGNING_KEY"]}) == 3
    assert stat.S_IMODE((tmp_path / "keys.env").stat().st_mode) == 0o600


def test_the_verify_keys_check_what_the_signing_key_signs():
    key = new_key()
    signed = Signer(parse_key_ring("S", key)).sign(b"news", "kind")

    assert Verifier("V", verify_keys(key)).verify(signed, "kind") == b"news"


def test_a_key_of_the_environment_wins_and_is_not_written_down(tmp_path):
    own = new_key()

    keys = keys_for(tmp_path / "keys.env", {"ARCHWAY_PROXY_KEY": own})

    assert keys["ARCHWAY_PROXY_KEY"] == own
    assert "ARCHWAY_PROXY_KEY" not in read_keys(tmp_path / "keys.env")


def test_a_short_key_is_refused_by_name(tmp_path):
    with pytest.raises(BadKey, match="ARCHWAY_SECRET_KEY has 4 bytes"):
        keys_for(tmp_path / "keys.env", {"ARCHWAY_SECRET_KEY": "AAAAAA"})


def test_one_key_for_two_purposes_is_refused(tmp_path):
    own = new_key()

    with pytest.raises(BadKey, match="hold the same key"):
        keys_for(tmp_path / "keys.env", {"ARCHWAY_SECRET_KEY": own, "ARCHWAY_PROXY_KEY": own})
