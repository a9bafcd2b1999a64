import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.redaction import REDACTED, SHORTEST, Redaction

secrets = st.text(st.characters(exclude_categories=["Cs"]), min_size=SHORTEST, max_size=40).filter(
    lambda one: one not in REDACTED
)


@given(secrets, st.text(max_size=30), st.text(max_size=30))
def test_no_secret_is_left_in_any_form(secret, before, behind):
    redaction = Redaction([secret])

    for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe="")):
        assert form not in redaction(before + form + behind).replace(REDACTED, "\0")


@given(st.text(max_size=60))
def test_without_secrets_a_text_stays_as_it_is(text):
    assert Redaction([])(text) == Redaction(["abc"])(text) == text


def test_a_secret_within_a_longer_one_does_not_leave_its_rest():
    assert Redaction(["abcd", "abcdefgh"])("abcdefgh abcd") == f"{REDACTED} {REDACTED}"


def test_a_secret_is_found_in_base64():
    given = base64.b64encode(b"user:password").decode()

    assert Redaction(["user:password"])(f"Basic {given}") == f"Basic {REDACTED}=="


def test_each_line_of_a_secret_with_several_is_found():
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhki\n-----END KEY-----\n"

    assert "MIIEvQIBADANBgkqhki" not in Redaction([key])("line 2: MIIEvQIBADANBgkqhki")


@pytest.mark.parametrize("short", ["", "1", "no", "yes"])
def test_what_is_too_short_is_no_secret(short):
    assert Redaction([short])(f"say {short}!") == f"say {short}!"
