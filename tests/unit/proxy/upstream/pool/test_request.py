"""A request as bytes: what is in it, and what never gets in."""

import pytest

from core.egress.addresses import PublicUrl
from core.egress.faults import UpstreamFault
from core.egress.header_grammar import WRITTEN_BY_CLIENTS
from proxy.upstream.pool.places import Origin, Way
from proxy.upstream.pool.request import RequestWriter, target_of


def written(
    url: str = "http://a.test/mcp", headers: dict[str, str] | None = None, body: bytes | None = b"{}"
) -> bytes:
    return RequestWriter().write("POST", target_of(PublicUrl(url)), headers or {}, body)


def test_a_request_has_its_target_its_headers_and_its_body() -> None:
    assert written("https://a.test:8443/m?x=1", {"x-one": "1", "authorization": "Bearer t"}) == (
        b"POST /m?x=1 HTTP/1.1\r\nhost: a.test:8443\r\naccept-encoding: identity\r\n"
        b"x-one: 1\r\nauthorization: Bearer t\r\nuser-agent: archway\r\ncontent-length: 2\r\n\r\n{}"
    )


def test_a_request_without_a_body_has_no_length() -> None:
    assert b"content-length" not in written(body=None)
    assert b"content-length: 0\r\n" in written(body=b"")


def test_the_callers_user_agent_stands_for_ours() -> None:
    assert written(headers={"user-agent": "theirs"}).count(b"user-agent") == 1


@pytest.mark.parametrize(
    ("url", "origin", "host", "port"),
    [
        ("http://a.test/", "http://a.test:80", "a.test", 80),
        ("https://a.test/", "https://a.test:443", "a.test", 443),
        ("http://a.test:443/", "http://a.test:443", "a.test", 443),
        ("http://[2001:db8::1]:81/", "http://2001:db8::1:81", "2001:db8::1", 81),
    ],
)
def test_requests_share_connections_only_within_scheme_host_and_port(
    url: str, origin: str, host: str, port: int
) -> None:
    target = target_of(PublicUrl(url))
    assert (target.origin, target.host, target.port, target.tls) == (origin, host, port, url.startswith("https"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://a.test/",
        "http:///x",
        "http://u:p@a.test/",
        "http://a.test:port/",
        "http://a.test/ HTTP/1.1\r\nX: y",
        "http://a.test/\r\n",
        "http://a.test/a b",
        "http://\u2460\u2461.test/",
        "http://[::1/",
    ],
)
def test_what_is_no_url_of_ours_is_refused_before_anything_is_opened(url: str) -> None:
    with pytest.raises(UpstreamFault) as caught:
        target_of(PublicUrl(url))
    assert (caught.value.reason, caught.value.sent) == ("refused", False)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-tenant": "adm\udcffin"},
        {"x-tenant": "caf\u00e9"},
        {"x-tenant": "a\r\nx-other: b"},
        {"x-tenant": "a\nb"},
        {"x-tenant": "a\x00"},
        {"x-tenant": "a\x7f"},
        {"x-tenant": "a", "x-other": "\x1b"},
        {"x tenant": "a"},
        {"x-tenant:": "a"},
        {"X-Tenant": "a"},
        {"": "a"},
        *({name: "1"} for name in sorted(WRITTEN_BY_CLIENTS)),
    ],
    ids=ascii,
)
def test_a_header_that_would_change_the_request_is_not_sent(headers: dict[str, str]) -> None:
    writer = RequestWriter()
    for _ in range(2):  # the second time from memory
        with pytest.raises(ValueError, match="header"):
            writer.write("POST", target_of(PublicUrl("http://a.test/")), headers, b"")


def test_a_tab_within_a_value_passes() -> None:
    assert b"x-a: a\tb\r\n" in written(headers={"x-a": "a\tb"})


def test_a_way_that_ends_at_a_header_becomes_the_same_request_with_each_value() -> None:
    writer, target = RequestWriter(), target_of(PublicUrl("http://a.test/mcp"))
    head = writer.prepare("POST", target, {"x-one": "1"})
    way = Way(Origin("o"), writer.up_to_length(head, {"x-two": "2"}, "x-request-id"))
    for number in ("17", "18"):
        whole = writer.finish(head, {"x-two": "2", "x-request-id": number}, b"{}")
        by_way = way.saying(number.encode()).data + b"2\r\n\r\n{}"
        assert sorted(by_way.split(b"\r\n")) == sorted(whole.split(b"\r\n"))
    with pytest.raises(ValueError, match="must not be sent"):
        writer.up_to_length(head, {}, "content-length")
