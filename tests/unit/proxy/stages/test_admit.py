from __future__ import annotations

import re
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.egress.header_grammar import MAY_REPEAT
from proxy.deps import Deps
from proxy.refusals import Refusal
from proxy.stages import admit as stage
from proxy.stages.admit import admit, gateway_in, one_too_many
from tests.fakes.callers import a_user
from tests.fakes.overload import overloaded
from tests.fakes.proxy_parts import exchange, known_token, proxy_parts, user


def refusal_of(deps: Deps, *args: object, **more: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        admit(exchange(*args, **more), deps)
    return caught.value


async def test_a_good_head_fills_headers_address_and_the_gateways_name(deps: Deps) -> None:
    x = exchange([(b"X-A", b"b"), (b"HOST", b"GW.example:443")])
    admit(x, deps)
    assert (x.headers["x-a"], x.address, x.gateway_name) == ("b", "192.0.2.1", "g")


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([(b"Host", b"gw.example"), (b"X-A", b"caf\xe9")], "header_value"),
        ([(b"Host", b"gw.example"), (b"X A", b"1")], "framing"),
        ([(b"Host", b"gw.example"), (b"X-A", b"1"), (b"x-a", b"1")], "header_repeated"),
        ([(b"Host", b"")], "framing"),
        ([], "framing"),
        ([(b"Host", b"gw.example."), (b"X-A", b"1")], "host_unknown"),
        ([(b"Host", b"[gw.example")], "host_unknown"),
        ([(b"Host", b":80")], "host_unknown"),
        ([(b"Host", b"gw.example"), (b"Origin", b"")], "origin_foreign"),
        ([(b"Host", b"gw.example"), (b"Origin", b"http://gw.example")], "origin_foreign"),
    ],
)
async def test_a_head_with_two_meanings_or_for_another_is_refused(
    deps: Deps, headers: list[tuple[bytes, bytes]], reason: str
) -> None:
    assert refusal_of(deps, headers).reason == reason


async def test_lists_may_come_in_several_lines(deps: Deps) -> None:
    x = exchange([(b"Host", b"gw.example"), (b"Accept", b"a/b"), (b"accept", b"c/d")])
    admit(x, deps)
    assert x.headers["accept"] == "a/b, c/d"


@pytest.mark.parametrize("version", [(0, 9), (1, 2), (2, 0)])
async def test_only_http_1_0_and_1_1_are_served(deps: Deps, version: tuple[int, int]) -> None:
    assert refusal_of(deps, {}, version=version).reason == "framing"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("http://gw.example/v1/mcp/g", None),
        ("HTTPS://gw.example/v1/mcp/g", None),
        ("http://gw.example:80/v1/mcp/g", "host_unknown"),
        ("http://x@gw.example/v1/mcp/g", "host_unknown"),
        ("http:/v1/mcp/g", "host_unknown"),
        ("ftp://gw.example/v1/mcp/g", "host_unknown"),
        ("*", "host_unknown"),
        ("http://[::1/v1/mcp/g", "framing"),
    ],
)
async def test_an_absolute_target_must_name_the_host_of_the_header(
    deps: Deps, target: str, reason: str | None
) -> None:
    if reason is None:
        x = exchange({}, target=target)
        admit(x, deps)
        assert x.gateway_name == "g"
    else:
        assert refusal_of(deps, {}, target=target).reason == reason


@pytest.mark.parametrize("name", ["g", "a-b", "a" * 63, "0"])
def test_a_path_may_end_in_a_slash_as_clients_write_it(name: str) -> None:
    assert gateway_in(f"/v1/mcp/{name}/") == gateway_in(f"/v1/mcp/{name}") == name


@pytest.mark.parametrize(
    "path", ["/v1/mcp//", "/v1/mcp/g//", "/v1/mcp//g", "/v1/mcp/g/.", "/v1/mcp", "/v1/mcp/g/%2f"]
)
def test_one_slash_is_all_that_is_passed_over(path: str) -> None:
    with pytest.raises(Refusal, match="path_unknown"):
        gateway_in(path)


@pytest.mark.parametrize(
    "path", ["/v1/mcp/", "/v1/mcp/G", "/v1/mcp/a/b", "/v1/mcp/a%2db", "/v1/mcp/" + "a" * 64, "/x"]
)
def test_a_path_is_matched_raw_and_whole(path: str) -> None:
    with pytest.raises(Refusal, match="path_unknown"):
        gateway_in(path)


@pytest.mark.parametrize(
    ("peer", "said", "address"),
    [
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "203.0.113.9,, 10.0.0.2", "10.0.0.2"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
    ],
)
async def test_the_address_is_what_the_last_trusted_hop_saw(peer: str, said: str, address: str) -> None:
    async with proxy_parts(trusted_proxies=("10.0.0.0/8", "fd00::/8")) as deps:
        x = exchange({"X-Forwarded-For": said}, peer=peer)
        admit(x, deps)
        assert x.address == address


async def test_what_is_remembered_of_one_list_of_proxies_is_not_believed_of_another() -> None:
    for proxies, address in ((("10.0.0.0/8",), "192.0.2.7"), (("10.1.0.0/16",), "10.2.0.1"), ((), "10.2.0.1")):
        async with proxy_parts(trusted_proxies=proxies) as deps:
            x = exchange({"X-Forwarded-For": "192.0.2.7"}, peer="10.2.0.1")
            admit(x, deps)
            assert x.address == address


async def test_beyond_its_limits_a_worker_says_that_it_is_busy() -> None:
    async with proxy_parts(calls_in_flight=1, bytes_in_flight=10) as deps:
        admit(exchange({}), deps)
        deps.usage.running.take("user:u", 1, most=1, share=1)
        assert refusal_of(deps, {}).words == {"retry_after": 1}
        deps.usage.running.give_back("user:u", 1)
        deps.usage.held.take("user:u", 10, most=10, share=10)
        assert refusal_of(deps, {}).reason == "overloaded"


def verdict_byte_by_byte(raw: list[tuple[bytes, bytes]]) -> dict[str, str] | str:
    """What `_headers` is to find, by the definitions, header by header and with nothing remembered."""
    headers: dict[str, str] = {}
    for name, value in raw:
        if re.fullmatch(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", name) is None:
            return "framing"
        if re.fullmatch(rb"[\t\x20-\x7e]*", value) is None:
            return "header_value"
        key, text = name.decode().lower(), value.decode()
        if key in headers and key not in MAY_REPEAT:
            return "header_repeated"
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


NAMES = st.sampled_from([b"Host", b"hOST", b"Accept", b"accept", b"X-A", b"x a", b"", b"x:"]) | st.binary(max_size=80)
VALUES = st.sampled_from([b"", b"\t", b"a\tb", b" a ", b"caf\xe9", b"\x7f", b"a\nb", b"\x85"]) | st.binary(
    max_size=12
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6))
@example([(b"A", b"\xa0")])
@example([(b"A\n", b"1")])
@example([(b"\xc0", b"1")])
def test_the_quick_look_at_headers_finds_what_a_look_at_every_byte_finds(raw: list[tuple[bytes, bytes]]) -> None:
    names: dict[bytes, str] = {}
    for _ in range(2):  # once unknown, once remembered
        try:
            found: dict[str, str] | str = stage._headers(raw, names)
        except Refusal as refusal:
            found = refusal.reason
        assert found == verdict_byte_by_byte(raw)


def test_made_up_header_names_fill_no_memory() -> None:
    names: dict[bytes, str] = {}
    for number in range(3 * stage._MOST_NAMES):
        stage._headers([(b"x-%d" % number, b"1"), (b"y" * 100 + b"%d" % number, b"1")], names)
    assert 0 < len(names) <= stage._MOST_NAMES
    assert max(len(name) for name in names) <= stage._LONGEST_NAME


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Basic", ""])
async def test_who_is_refused_and_comes_again_is_hashed_once_and_looked_up_each_time(deps: Deps, scheme: str) -> None:
    deps.overload = overloaded()
    token = known_token(deps, user())
    head = exchange([(b"Host", b"gw.example"), (b"Authorization", f"{scheme} {token}".encode())]).head
    asked: list[bool] = []
    with (
        patch.object(stage, "digest", wraps=stage.digest) as hashed,
        patch.object(type(deps.overload), "refuses", lambda *_, stranger: asked.append(stranger) or True),
    ):
        for _ in range(2):
            assert one_too_many(head, deps)
        with patch.object(type(deps.authority), "remembers", lambda *_: False):
            assert one_too_many(head, deps)
            assert head.judged is not None
            head.judged.caller = a_user("x")  # accepted once, and forgotten since
            assert one_too_many(head, deps)
    known = scheme.lower() == "bearer"
    assert asked == [not known, not known, True, True]
    assert hashed.call_count == known
