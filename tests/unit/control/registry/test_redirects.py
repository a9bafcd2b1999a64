"""Where clients may have people sent back to."""

from __future__ import annotations

import pytest

from control.registry.redirects import (
    MOST,
    PRIVATE_SCHEMES,
    is_registered,
    is_this_machine,
    redirect_host,
    usable,
    why_not_registered,
)

WEB = "https://client.example.com/callback"


@pytest.mark.parametrize(
    "uri",
    [WEB, f"{WEB}?tenant=a", "https://client.example.com", "https://localhost/cb", "http://localhost/cb",
     "http://localhost:8080", "http://127.0.0.1:1/cb", "http://[::1]:65535/cb", "http://localhost?x=y",
     *(f"{scheme}://cb" for scheme in sorted(PRIVATE_SCHEMES))],
)  # fmt: skip
def test_a_website_this_machine_and_known_programs_may_be_registered(uri: str) -> None:
    assert why_not_registered(uri) is None


@pytest.mark.parametrize(
    "uri",
    ["", "callback", "/callback", "http://client.example.com/cb", "http://10.0.0.1/cb", "http://localhost.evil.example/cb",
     "http://localhost@evil.example/cb", "http://127.0.0.1.evil.example/", "http://127.0.0.2/cb", "http://localhost:0/cb",
     "http://localhost:65536/cb", "https://10.0.0.1/cb", "https://[::1]/cb", "https://169.254.169.254/", "https://0x7f.1/",
     "https://localhost:99999/cb",
     "https://localhost:x/cb", "https://localhost%2eevil.example/cb",
     "https://user@client.example.com/cb", "https:///cb", "https:client.example.com", f"{WEB}#f", f"{WEB} ",
     f"{WEB}\n",
     "https://localhost%2eevil.example/", "https://localhost&.evil.example/", "https://localhost:0/", "https://localhost./",
     "https://x.localhost/", "https://client.example.com\\@evil.example/", "javascript:alert(1)", "data:text/html,x", "myapp://cb",
     "cursor:cb",
     "CURSOR://cb", "Https://client.example.com/cb", "https://cli\u00e9nt.example/",
     "https://a/" + "b" * 2_048, "https://client.example.com/<b>"],
)  # fmt: skip
def test_what_could_lead_elsewhere_may_not(uri: str) -> None:
    assert why_not_registered(uri)


def test_bad_ones_are_left_out_and_each_good_one_stays_once() -> None:
    assert usable([WEB, "http://evil.example", WEB, "cursor://cb"]) == (WEB, "cursor://cb")
    assert len(usable([f"https://client.example.com/{number}" for number in range(50)])) == MOST


@pytest.mark.parametrize(
    ("asked", "registered", "fits"),
    [
        (WEB, WEB, True),
        (f"{WEB}/", WEB, False),
        (WEB.upper(), WEB, False),
        ("https://client.example.com:8443/callback", WEB, False),
        ("http://localhost:51234/cb", "http://localhost/cb", True),
        ("http://localhost/cb", "http://localhost:3000/cb", True),
        ("http://127.0.0.1:9/cb", "http://127.0.0.1:3000/cb", True),
        ("http://[::1]:9/cb", "http://[::1]/cb", True),
        ("http://localhost:9/cb?a=b", "http://localhost/cb", False),
        ("http://localhost:9/cb/", "http://localhost/cb", False),
        ("http://127.0.0.1:9/cb", "http://localhost/cb", False),
        ("http://localhost:99999/cb", "http://localhost/cb", False),
        ("https://localhost:9/cb", "https://localhost/cb", False),
        ("cursor://other", "cursor://cb", False),
        ("javascript:alert(1)", "javascript:alert(1)", False),
    ],
)
def test_a_redirect_is_the_registered_one_to_the_letter_any_port_of_this_machine_apart(
    asked: str, registered: str, fits: bool
) -> None:
    assert is_registered(asked, [registered]) is fits


@pytest.mark.parametrize(
    ("uri", "host", "here"),
    [
        (WEB, "client.example.com", False),
        ("https://client.example.com:8443/x", "client.example.com:8443", False),
        ("http://localhost:51234/cb", "this machine", True),
        ("https://localhost:3000/cb", "this machine", True),
        ("https://LOCALHOST?a=b", "this machine", True),
        ("https://localhost.example.com/cb", "localhost.example.com", False),
        ("cursor://anysphere.cursor-mcp/cb", "cursor:", False),
    ],
)
def test_a_person_reads_where_they_are_sent(uri: str, host: str, here: bool) -> None:
    assert (redirect_host(uri), is_this_machine(uri)) == (host, here)
