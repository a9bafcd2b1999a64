from __future__ import annotations

from typing import Annotated

import msgspec
import pytest

from core.settings import BadSetting, Seconds, host_port, load


class Example(msgspec.Struct, frozen=True):
    public_url: str
    hosts: tuple[str, ...] = ()
    age: Seconds = 60
    workers: Annotated[int, msgspec.Meta(ge=1)] = 1
    https_proxy: str = ""


def test_fields_are_read_from_their_variables() -> None:
    given = {
        "ARCHWAY_PUBLIC_URL": " https://a.test ", "ARCHWAY_HOSTS": "a,b", "ARCHWAY_AGE": "1.5", "HTTPS_PROXY": "p",
        "PATH": "/bin", "ARCHWAY_STRANGE": "x",
    }  # fmt: skip
    assert load(Example, given) == Example("https://a.test", ("a", "b"), 1.5, 1, "p")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "ARCHWAY_PUBLIC_URL is not set"),
        ({"ARCHWAY_PUBLIC_URL": "   "}, "ARCHWAY_PUBLIC_URL is not set"),
        ({"ARCHWAY_PUBLIC_URL": "u", "ARCHWAY_AGE": "soon"}, "ARCHWAY_AGE: "),
        ({"ARCHWAY_PUBLIC_URL": "u", "ARCHWAY_AGE": "-1"}, "ARCHWAY_AGE: "),
        ({"ARCHWAY_PUBLIC_URL": "u", "ARCHWAY_WORKERS": "0"}, "ARCHWAY_WORKERS: "),
    ],
)
def test_an_error_names_the_variable(given: dict[str, str], named: str) -> None:
    with pytest.raises(BadSetting, match=f"^{named}"):
        load(Example, given)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("[::1]:0", ("::1", 0)),
        (":81", ("127.0.0.1", 81)),
        ("h.test:1", ("h.test", 1)),
    ],
)
def test_a_listener_is_a_host_and_a_port(text: str, expected: tuple[str, int]) -> None:
    assert host_port("admin_listen", text) == expected


@pytest.mark.parametrize("text", ["", "8080", "host:", "host:http", "host:65536", "host:-1"])
def test_what_is_no_listener_is_refused_by_its_variable(text: str) -> None:
    with pytest.raises(BadSetting, match="ARCHWAY_ADMIN_LISTEN"):
        host_port("admin_listen", text)
