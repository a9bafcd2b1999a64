"""A platform that starts and in which no server can be discovered: what leads to it is found before the start."""

import pytest

from archway.doctor.environments import Given
from archway.doctor.planes_check import check_gaps, check_pair, default_of
from archway.up.keys_file import KEY_NAMES, verify_keys
from core.keys import new_key

KEYS = {name: new_key() for name in KEY_NAMES}
CONTROL = KEYS | {
    "ARCHWAY_PUBLIC_URL": "https://mcp.example.com",
    "ARCHWAY_PROXY_INTERNAL_URL": "http://proxy.internal:8403",
    "ARCHWAY_CONTROL_INTERNAL_LISTEN": "0.0.0.0:8402",
    "ARCHWAY_UPSTREAM_NETWORKS": "10.0.0.0/8",
}
PROXY = {
    "ARCHWAY_PROXY_KEY": KEYS["ARCHWAY_PROXY_KEY"],
    "ARCHWAY_VERIFY_KEYS": verify_keys(KEYS["ARCHWAY_SIGNING_KEY"]),
    "ARCHWAY_PUBLIC_URL": "https://mcp.example.com/",
    "ARCHWAY_CONTROL_INTERNAL_URL": "http://control.internal:8402",
    "ARCHWAY_PROXY_INTERNAL_LISTEN": "0.0.0.0:8403",
    "ARCHWAY_UPSTREAM_NETWORKS": "10.0.0.0/8",
}


def gaps(settings):
    return [finding.line for finding in check_gaps(Given("x.env", settings)) if finding.wrong]


def pair(control=None, proxy=None):
    return check_pair(Given("control.env", CONTROL | (control or {})), Given("proxy.env", PROXY | (proxy or {})))


def test_settings_with_which_discovery_works_have_no_gaps():
    assert not gaps(CONTROL)
    assert not gaps(PROXY)
    assert not pair()


@pytest.mark.parametrize("text", [None, "", " ", ","])
def test_control_without_an_address_of_a_proxy_is_told_that_nothing_can_be_discovered(text):
    settings = {name: value for name, value in CONTROL.items() if name != "ARCHWAY_PROXY_INTERNAL_URL"}
    (line,) = gaps(settings if text is None else settings | {"ARCHWAY_PROXY_INTERNAL_URL": text})
    assert line.startswith("failed   x.env: ARCHWAY_PROXY_INTERNAL_URL is not set")
    assert "no server can be discovered" in line
    assert "such as http://proxy.internal:8403" in line


def test_a_proxy_that_listens_for_control_on_any_port_is_told_that_nobody_finds_it():
    (line,) = gaps(PROXY | {"ARCHWAY_PROXY_INTERNAL_LISTEN": "0.0.0.0:0"})
    assert "no server can be discovered" in line


def test_settings_that_are_for_no_plane_have_no_gaps():
    assert not gaps({"ARCHWAY_PROXY_INTERNAL_LISTEN": "127.0.0.1:0"})


@pytest.mark.parametrize(
    ("control", "proxy", "words"),
    [
        ({"ARCHWAY_PROXY_KEY": new_key()}, {}, "ARCHWAY_PROXY_KEY of control.env and of proxy.env are two keys"),
        ({"ARCHWAY_SIGNING_KEY": new_key()}, {}, "lacks the public half"),
        ({"ARCHWAY_PUBLIC_URL": "http://mcp.example.com"}, {}, "ARCHWAY_PUBLIC_URL differs"),
        ({}, {"ARCHWAY_UPSTREAM_NETWORKS": ""}, "ARCHWAY_UPSTREAM_NETWORKS differs"),
        ({"ARCHWAY_UPSTREAM_NETWORKS": "127.0.0.0/8"}, {}, "ARCHWAY_UPSTREAM_NETWORKS differs"),
    ],
)
def test_planes_that_cannot_work_together_are_wrong(control, proxy, words):
    (finding,) = pair(control, proxy)
    assert finding.wrong
    assert words in finding.what
    assert finding.cure


@pytest.mark.parametrize(
    ("control", "proxy", "words"),
    [
        (
            {"ARCHWAY_PROXY_INTERNAL_URL": "http://proxy.internal:8081"},
            {},
            "names port 8081, proxy.env listens on 8403",
        ),
        ({}, {"ARCHWAY_PROXY_INTERNAL_LISTEN": "0.0.0.0:9999"}, "names port 8403, proxy.env listens on 9999"),
        (
            {},
            {"ARCHWAY_CONTROL_INTERNAL_URL": "http://control.internal"},
            "names port 80, control.env listens on 8402",
        ),
        ({}, {"ARCHWAY_PROXY_INTERNAL_LISTEN": ""}, "proxy.env listens for control on loopback alone"),
        ({"ARCHWAY_CONTROL_INTERNAL_LISTEN": "[::1]:8402"}, {}, "control.env listens for proxy on loopback alone"),
    ],
)
def test_an_address_that_may_lead_nowhere_is_a_warning(control, proxy, words):
    (finding,) = pair(control, proxy)
    assert finding.level == "warning"
    assert words in finding.what
    assert finding.cure


def test_both_planes_on_one_machine_may_listen_on_loopback():
    addresses = {"ARCHWAY_PROXY_INTERNAL_URL": "http://127.0.0.1:8403", "ARCHWAY_CONTROL_INTERNAL_LISTEN": ""}
    others = {"ARCHWAY_CONTROL_INTERNAL_URL": "http://localhost:8402", "ARCHWAY_PROXY_INTERNAL_LISTEN": ""}
    assert not pair(addresses, others)


def test_keys_that_are_being_replaced_fit_while_each_plane_knows_the_others():
    old, new = KEYS["ARCHWAY_PROXY_KEY"], new_key()
    assert not pair({"ARCHWAY_PROXY_KEY": f"{new},{old}"}, {"ARCHWAY_PROXY_KEY": f"{old},{new}"})
    assert pair({"ARCHWAY_PROXY_KEY": new}, {"ARCHWAY_PROXY_KEY": f"{old},{new}"})


@pytest.mark.parametrize(("name", "text"), [("ARCHWAY_ADMIN_LISTEN", "127.0.0.1:8401"), ("ARCHWAY_NO_SUCH", "")])
def test_a_default_is_the_settings_own(name, text):
    assert default_of(name) == text
