"""How cookies are named and guarded, by where people's pages are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from control.http.cookies import SESSION, clear_cookie, may_be_secret, read_cookie, rules_for, set_cookie


def the_cookie(issuer: str, age: timedelta | None = None) -> str:
    response = web.Response()
    set_cookie(response, rules_for(issuer), SESSION, "s3cret", age)
    (cookie,) = response.cookies.values()
    return cookie.OutputString()


def test_over_https_only_this_very_host_gets_the_cookie_and_no_script() -> None:
    assert the_cookie("https://mcp.example.com") == "__Host-archway=s3cret; HttpOnly; Path=/; SameSite=Lax; Secure"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "archway.localhost", "127.0.0.9"])
def test_on_plain_http_of_this_machine_the_name_has_the_port_and_no_prefix(host: str) -> None:
    assert the_cookie(f"http://{host}:8400") == "archway-8400=s3cret; HttpOnly; Path=/; SameSite=Lax"


@pytest.mark.parametrize("host", ["mcp.example.com", "10.0.0.1", "localhost.example.com", "127.0.0.1.example.com"])
def test_on_plain_http_elsewhere_browsers_keep_none_of_them(host: str) -> None:
    rules = rules_for(f"http://{host}")
    assert (rules.kept, rules.secure) == (False, True)


def test_two_deployments_of_one_machine_do_not_share_a_name() -> None:
    assert rules_for("http://localhost:8400").name(SESSION) != rules_for("http://localhost:8500").name(SESSION)


def test_a_cookie_with_an_age_is_kept_for_that_long() -> None:
    assert "Max-Age=604800" in the_cookie("https://mcp.example.com", timedelta(days=7))


def test_a_cleared_cookie_ends_at_once_with_the_same_guards() -> None:
    response = web.Response()
    clear_cookie(response, rules_for("https://mcp.example.com"), SESSION)
    (cookie,) = response.cookies.values()
    assert cookie.OutputString() == '__Host-archway=""; HttpOnly; Max-Age=0; Path=/; SameSite=Lax; Secure'


def test_a_cookie_of_another_name_is_not_read() -> None:
    request = make_mocked_request("GET", "/", headers={"Cookie": "archway=planted; __Host-archway=ours"})
    assert read_cookie(request, rules_for("https://mcp.example.com"), SESSION) == "ours"
    assert read_cookie(request, rules_for("http://127.0.0.1:8400"), SESSION) == ""


@pytest.mark.parametrize(
    ("value", "may_be"),
    [("a" * 43, True), ("", False), ("a" * 129, False), ("a" * 42 + "é", False), ("a b" * 9, False)],
)
def test_only_what_has_the_form_of_a_secret_is_looked_up(value: str, may_be: bool) -> None:
    assert may_be_secret(value) == may_be
