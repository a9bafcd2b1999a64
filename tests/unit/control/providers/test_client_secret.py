from __future__ import annotations

from control.providers.client_secret import basic


def test_a_client_says_who_it_is_with_each_part_encoded() -> None:
    assert basic("a:b", "s %+") == "Basic YSUzQWI6cyslMjUlMkI="  # of a%3Ab:s+%25%2B
