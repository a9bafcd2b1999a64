"""The address policy and the URL check, as functions of values."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.egress.addresses import AddressPolicy, UrlRefused, check_url, parse_networks

PUBLIC_ONLY = AddressPolicy()
EVERYTHING_ALLOWED = AddressPolicy(parse_networks("0.0.0.0/0 ::/0"))


def allowing(networks: str) -> AddressPolicy:
    return AddressPolicy(parse_networks(networks))


@pytest.mark.parametrize("ip", ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8"])
def test_a_public_address_is_permitted(ip: str) -> None:
    assert PUBLIC_ONLY.permits(ip)
    assert PUBLIC_ONLY.why_not(ip) is None


@pytest.mark.parametrize(
    "ip",
    [
        "192.0.2.1", "198.51.100.7", "203.0.113.9", "198.18.0.1", "192.0.0.8", "192.88.99.1", "240.0.0.1",
        "255.255.255.255", "2001:db8::1", "3fff::1", "5f00::1", "100::1", "2001::1", "64:ff9b:1::1", "4000::1", "::2",
    ],
)  # fmt: skip
def test_a_special_address_that_no_server_should_have_is_refused(ip: str) -> None:
    assert not PUBLIC_ONLY.permits(ip)


@pytest.mark.parametrize(
    ("networks", "ip"),
    [
        ("10.0.0.0/8", "10.1.2.3"),
        ("127.0.0.0/8", "127.0.0.1"),
        ("127.0.0.0/8", "::ffff:127.0.0.1"),
        ("::1/128", "::1"),
        ("fd12:3456::/48", "fd12:3456::9"),
        ("64:ff9b::/96", "64:ff9b::8.8.8.8"),
        ("64:ff9b::/96, 10.0.0.0/8", "64:ff9b::10.0.0.1"),
    ],
)
def test_an_operator_can_open_a_network(networks: str, ip: str) -> None:
    assert not PUBLIC_ONLY.permits(ip)
    assert allowing(networks).permits(ip)


def test_opening_one_network_opens_no_other() -> None:
    policy = allowing("10.20.0.0/16")
    assert not policy.permits("10.21.0.1")
    assert not policy.permits("127.0.0.1")


def test_opening_a_translation_prefix_does_not_open_the_addresses_behind_it() -> None:
    assert not allowing("64:ff9b::/96").permits("64:ff9b::10.0.0.1")
    assert not allowing("2002::/16").permits("2002:7f00:1::")


@pytest.mark.parametrize(
    "ip",
    [
        "169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::",
        "::169.254.169.254", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
        "168.63.129.16", "::ffff:168.63.129.16", "64:ff9b::168.63.129.16", "100.100.100.200", "192.0.0.192",
        "0.0.0.0", "::", "::ffff:0.0.0.0", "224.0.0.1", "ff02::1", "255.255.255.255",
    ],
)  # fmt: skip
def test_no_setting_opens_link_local_metadata_or_unspecified_addresses(ip: str) -> None:
    assert "no setting opens it" in (EVERYTHING_ALLOWED.why_not(ip) or "")


def test_a_refusal_says_which_address_and_what_it_is() -> None:
    assert PUBLIC_ONLY.why_not("127.0.0.1") == "127.0.0.1 is loopback; ARCHWAY_UPSTREAM_NETWORKS can open it"


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "1.2.3.4.5", "[::1]", "\u0660.\u0660.\u0660.\u0661"])
def test_what_is_not_an_address_is_refused(text: str) -> None:
    assert not EVERYTHING_ALLOWED.permits(text)


@given(st.ip_addresses())
def test_nothing_that_the_standard_library_calls_private_is_permitted(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if PUBLIC_ONLY.permits(str(address)):
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_judged_as_its_inner_one(address: ipaddress.IPv4Address) -> None:
    assert PUBLIC_ONLY.permits(f"::ffff:{address}") == PUBLIC_ONLY.permits(str(address))


def test_networks_are_read_from_commas_and_spaces_and_kept_once() -> None:
    assert parse_networks(" 10.0.0.0/8,127.0.0.1  10.0.0.0/8\n::1 ") == (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("127.0.0.1/32"),
        ipaddress.ip_network("::1/128"),
    )
    assert parse_networks("") == ()


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("10.0.0.1/8", "write 10.0.0.0/8"),
        ("10.0.0/8", "write it like 10.20.0.0/16"),
        ("internal.example", "write it like 10.20.0.0/16"),
        ("::ffff:10.0.0.0/104", "write it as IPv4"),
        ("169.254.0.0/16", "never opened"),
        ("fd00:ec2::254", "never opened"),
    ],
)
def test_a_wrong_network_is_refused_with_the_cure(text: str, cure: str) -> None:
    with pytest.raises(ValueError, match=cure):
        parse_networks(f"192.168.0.0/16, {text}")


def test_too_many_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 256"):
        parse_networks(" ".join(f"10.0.{n // 256}.{n % 256}" for n in range(257)))


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://Example.COM", "https://example.com/"),
        ("HTTPS://example.com:443/mcp", "https://example.com/mcp"),
        ("http://example.com.:8080/a%20b?x=/?&y", "http://example.com:8080/a%20b?x=/?&y"),
        ("http://0x8.8.8.8/", "http://8.8.8.8/"),
        ("http://134744072/", "http://8.8.8.8/"),
        ("http://[2606:2800:0220:0001::1]:80/", "http://[2606:2800:220:1::1]/"),
        ("https://my_service.example/", "https://my_service.example/"),
        ("http://example.0x1g/", "http://example.0x1g/"),
        ("https://xn--fa-hia.de/", "https://xn--fa-hia.de/"),
    ],
)
def test_a_good_url_comes_back_in_its_one_normal_form(url: str, normal: str) -> None:
    checked = check_url(url, PUBLIC_ONLY, purpose="url")
    assert checked == normal
    assert check_url(checked, PUBLIC_ONLY, purpose="url") == normal


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "empty"),
        ("example.com/mcp", "must begin with"),
        ("//example.com/mcp", "must begin with"),
        ("ftp://example.com/", "must begin with"),
        ("javascript:alert(1)", "must begin with"),
        ("http:/example.com", "needs a host"),
        ("http://", "needs a host"),
        ("http://:80/", "needs a host"),
        ("http://user@example.com/", "user name or password"),
        ("http://user:pw@example.com/", "user name or password"),
        ("http://example.com/#part", "fragment"),
        ("http://example.com/#", "fragment"),
        ("http://example.com:/", "needs a host"),
        ("http://example.com:0/", "port 0 does not exist"),
        ("http://example.com:65536/", "port 65536 does not exist"),
        ("http://example.com:80:90/", "needs a host"),
        ("http://example.com:\uff18\uff10/", "RFC 3986"),
        ("http://exa mple.com/", "RFC 3986"),
        ("http://exam\tple.com/", "RFC 3986"),
        ("http://example.com/\r\nX: y", "RFC 3986"),
        ("http://example.com\\@evil.example/", "RFC 3986"),
        ("http://bücher.example/", "punycode"),
        ("http://ex%61mple.com/", "needs a host"),
        ("http://a..b/", "not a host name"),
        ("http://example.com../", "not a host name"),
        ("http://-a.example/", "not a host name"),
        (f"http://{'a' * 64}.example/", "not a host name"),
        (f"http://{'a.' * 127}example/", "not a host name"),
        ("http://1.2.3.4.5/", "no host name ends in a number"),
        ("http://08.1.1.1/", "not an IPv4 address"),
        ("http://[::1%25lo]/", "needs a host"),
        ("http://[::g]/", "needs a host|not a URL"),
        ("http://[1::2::3]/", "not an IPv6|not a URL"),
        ("http://[::1/", "is not a URL"),
        (f"http://example.com/{'a' * 2048}", "shorten it"),
    ],
)
def test_a_bad_url_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(UrlRefused, match=why):
        check_url(url, PUBLIC_ONLY, purpose="url")


def test_the_error_names_the_field() -> None:
    with pytest.raises(UrlRefused, match=r"^token_endpoint: "):
        check_url("http://127.0.0.1/", PUBLIC_ONLY, purpose="token_endpoint")


def test_localhost_is_accepted_once_loopback_is_open() -> None:
    assert (
        check_url("http://localhost:9000/mcp", allowing("127.0.0.0/8"), purpose="url") == "http://localhost:9000/mcp"
    )


@given(st.text(max_size=40) | st.from_regex(r"https?://[0-9a-fx.:\[\]@#/%]{0,24}", fullmatch=True))
def test_any_text_is_either_refused_or_normal(text: str) -> None:
    try:
        checked = check_url(text, PUBLIC_ONLY, purpose="url")
    except UrlRefused:
        return
    assert check_url(checked, PUBLIC_ONLY, purpose="url") == checked
