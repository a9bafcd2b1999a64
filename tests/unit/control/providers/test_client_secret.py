from __future__ import annotations

import base64

from control.providers.client_secret import basic


def test_a_client_says_who_it_is_with_each_part_encoded() -> None:
    assert base64.b64decode(basic("a:b", "s %+/").removeprefix("Basic ")) == b"a%3Ab:s%20%25%2B%2F"
