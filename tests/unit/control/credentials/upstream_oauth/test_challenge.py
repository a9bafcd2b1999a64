from __future__ import annotations

import pytest

from control.credentials.upstream_oauth.challenge import MOST_SCOPES, Challenge, bearer_challenge, scopes_in

METADATA = "https://mcp.example/.well-known/oauth-protected-resource"


@pytest.mark.parametrize(
    "header",
    [
        f'Bearer resource_metadata="{METADATA}", scope="a b", error="invalid_token"',
        f'bearer Resource_Metadata = "{METADATA}" ,scope="a b",error=invalid_token',
        f'BEARER error="invalid_token",\tscope="a b", resource_metadata={METADATA}',
        f'Bearer realm="x, y=\\"z\\"", error="invalid_token", scope="a b", resource_metadata="{METADATA}"',
        f'Basic realm="old", Bearer error="invalid_token", scope="a  b", resource_metadata="{METADATA}"',
        f'Negotiate abc==, Bearer error="invalid_token", scope="a b", resource_metadata="{METADATA}", DPoP algs="E"',
        f'Negotiate, Bearer scope="a b", error="invalid_token", resource_metadata="{METADATA}"',
    ],
    ids=["plain", "odd casing and spaces", "unquoted", "quotes in quotes", "another before", "one with bare text",
         "one with nothing"],
)  # fmt: skip
def test_what_a_server_asks_for_is_read_however_it_writes_it(header: str) -> None:
    assert bearer_challenge([header]) == Challenge(METADATA, ("a", "b"), "invalid_token")


def test_of_several_headers_the_one_that_names_the_metadata_counts() -> None:
    headers = ['Bearer realm="one"', f'Bearer resource_metadata="{METADATA}"', 'Basic realm="x"']
    assert bearer_challenge(headers).resource_metadata == METADATA


def test_a_server_whose_scheme_is_another_is_read_all_the_same() -> None:
    assert bearer_challenge([f'OAuth resource_metadata="{METADATA}"']).resource_metadata == METADATA
    assert bearer_challenge(['Basic realm="x", scope="a"']) == Challenge()


def test_a_parameter_of_another_challenge_is_not_taken() -> None:
    assert bearer_challenge(['Bearer realm="x", Digest scope="a"']).scopes == ()


def test_of_a_parameter_that_comes_twice_the_first_counts() -> None:
    assert bearer_challenge(['Bearer scope="a", scope="b"']).scopes == ("a",)


@pytest.mark.parametrize(
    "header", ["", ",,,", "=", '"', "Bearer", 'Bearer scope="', "Bearer \x00\x01", "Bearer =a, b="]
)
def test_a_header_that_says_nothing_asks_for_nothing(header: str) -> None:
    assert bearer_challenge([header]).resource_metadata == ""
    assert bearer_challenge([header]).scopes == ()


def test_a_header_without_end_is_read_to_a_length() -> None:
    long = "Bearer " + "a=b, " * 100_000 + 'scope="late"'
    assert bearer_challenge([long]).scopes == ()


def test_a_refusal_for_want_of_scopes_is_told_apart() -> None:
    assert bearer_challenge(['Bearer error="insufficient_scope", scope="more"']).wants_more_scopes
    assert not bearer_challenge(['Bearer error="invalid_token"']).wants_more_scopes
    assert bearer_challenge(['Bearer error="<script>"']).error == ""


@pytest.mark.parametrize(
    ("said", "scopes"),
    [
        ("repo,read:user", ("repo", "read:user")),
        ("a b a", ("a", "b")),
        (["a", 5, "b c", "d"], ("a", "d")),
        ('a"b c', ("c",)),
        (None, ()),
        ({"a": 1}, ()),
    ],
)
def test_scopes_are_read_as_servers_write_them(said: object, scopes: tuple[str, ...]) -> None:
    assert scopes_in(said) == scopes


def test_a_server_that_names_scopes_without_end_is_cut_short() -> None:
    assert len(scopes_in([str(number) for number in range(5_000)])) == MOST_SCOPES
