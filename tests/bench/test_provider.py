"""The bench's provider notices what the rows about accounts must fail for."""

from __future__ import annotations

from bench.provider import Given, Grants, Provider


def began(ends_in: float = 60.0) -> Provider:
    provider = Provider()
    provider.begin(Grants([Given("refresh-1", "access-1", ends_in), Given("refresh-2", "access-2", ends_in)]))
    return provider


def shown(token: object) -> bytes:
    return f"post /mcp/1 http/1.1\r\nauthorization: bearer {token}\r\nhost: h".encode()


def test_a_grant_is_counted_each_time_that_it_is_renewed() -> None:
    provider = began()
    told = provider.renewed("refresh-1")
    assert told is not None
    assert provider.told()["renewed"] == [1, 0]
    assert provider.renewed(str(told["refresh_token"])) is not None
    assert provider.told() == {"renewed": [2, 0], "reused": 0, "refused": 0, "calls": 0}


def test_a_refresh_token_that_comes_twice_ends_its_grant_and_no_other() -> None:
    provider = began()
    told = provider.renewed("refresh-1")
    assert told is not None
    assert provider.renewed("refresh-1") is None
    assert provider.renewed(str(told["refresh_token"])) is None
    assert provider.reused == 1
    assert provider.renewed("refresh-2") is not None


def test_a_call_is_refused_with_a_token_that_has_ended_or_is_none_of_its() -> None:
    provider = began(ends_in=-1.0)
    told = provider.renewed("refresh-1")
    assert told is not None
    assert [provider.takes(shown(one)) for one in ("access-1", "another", told["access_token"])] == [
        False,
        False,
        True,
    ]
    assert (provider.calls, provider.refused) == (3, 2)
