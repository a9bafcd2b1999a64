"""A call written from its frame says what the same call says that is written whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from core.egress.addresses import PublicUrl
from core.mcp.header_values import safe_header_value
from core.mcp.versions import LATEST_LEGACY, MODERN
from core.resolve import ResolvedInstallation
from proxy.upstream import call_frames
from proxy.upstream.call_frames import CallFrame, CallFrames
from proxy.upstream.outbound import Outbound
from proxy.upstream.pool.request import PreparedHead, RequestWriter, target_of
from tests.fakes.call_parts import installation

URL = "http://192.0.2.9/mcp"
values = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5), st.lists, max_leaves=5)
objects = st.dictionaries(st.text(max_size=5), values, max_size=3)
passed = st.dictionaries(st.sampled_from(["x-a", "x-b", "user-agent", "traceparent"]), st.sampled_from(["1", "two"]))


class Writes:
    """The part of a transport that prepares."""

    writer = RequestWriter()

    def prepare(self, method: str, url: PublicUrl, headers: Mapping[str, str]) -> PreparedHead:
        return self.writer.prepare(method, target_of(url), headers)


class WritesNothing(Writes):
    def prepare(self, method: str, url: PublicUrl, headers: Mapping[str, str]) -> Any:
        return None


def frames(transport: Any = None) -> CallFrames:
    return CallFrames(transport or Writes())


def call_of(own: dict[str, str] | None = None, **fields: Any) -> Outbound:
    return Outbound("tools/call", {"name": "täst", "arguments": fields.pop("arguments", {})}, own or {}, **fields)


def said(data: bytes) -> tuple[str, list[str], object]:
    """Request line, sorted header lines and message of a request."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    length = next(line for line in lines if line.startswith("content-length: "))
    assert int(length.partition(" ")[2]) == len(body)
    return first, sorted(line for line in lines if line != length), orjson.loads(body)


@given(objects, objects, passed, st.booleans(), st.sampled_from([MODERN, LATEST_LEGACY]))
def test_a_call_from_a_frame_is_the_call_written_whole(
    arguments: dict[str, Any], meta: dict[str, Any], theirs: dict[str, str], progress: bool, version: str
) -> None:
    to = installation(URL, fixed_headers=[("X-A", "entry")], credential_headers=[("Authorization", "Bearer c")])
    outbound = call_of(to.own_headers, arguments=arguments, meta=meta, passed=theirs, wants_progress=progress)
    frame = frames().of(to, outbound, version)
    assert frame is not None

    framed = Writes.writer.finish(frame.head, frame.more(outbound), frame.body(outbound))

    message, headers = outbound.modern() if version == MODERN else outbound.legacy(version, None)
    whole = Writes.writer.write("POST", target_of(PublicUrl(URL)), headers, orjson.dumps(message))
    assert said(framed) == said(whole)


def test_what_is_unusual_has_no_frame() -> None:
    to, known = installation(URL), frames()
    assert known.of(to, Outbound("resources/read", {"uri": "x:y"}, {}), MODERN) is None
    assert known.of(to, call_of(), MODERN) is not None
    mirrored = call_of(param_headers={"Mcp-Param-City": safe_header_value("Ulm")})
    assert known.of(to, mirrored, MODERN) is None
    assert frames().of(to, mirrored, MODERN) is None
    assert frames(WritesNothing()).of(to, call_of(), MODERN) is None
    assert frames().of(installation("http://a b/"), call_of(), MODERN) is None


@pytest.mark.parametrize("changed", [{"version": 2}, {"credential_headers": [("Authorization", "Bearer d")]}])
def test_a_frame_is_used_for_the_connection_it_was_made_for_alone(changed: dict[str, Any]) -> None:
    known = frames()
    fields = {"installation_id": "i", "entry_id": "e", "credential_headers": [("Authorization", "Bearer c")]}
    one, same, other = (installation(URL, **(fields | more)) for more in ({}, {}, changed))

    def frame_of(to: ResolvedInstallation) -> CallFrame:
        frame = known.of(to, call_of(), MODERN)
        assert frame is not None
        return frame

    first = frame_of(one)
    assert frame_of(same) is first
    assert frame_of(other) is not first
    assert frame_of(other).installation is other
    if "version" not in changed:
        assert frame_of(other).head.data != first.head.data


def test_frames_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_frames, "_MOST", 3)
    known = frames()
    for number in range(10):
        assert known.of(installation(URL, installation_id=str(number)), call_of(), MODERN) is not None
    assert len(known._known) <= 6


def test_callers_who_share_an_installation_with_tokens_of_their_own_take_no_frame_from_each_other() -> None:
    known, call = frames(), call_of()
    ann, ben = (
        installation(url=URL, made_for=f"user:{name}", credential_headers=[("authorization", f"Bearer {name}")])
        for name in ("ann", "ben")
    )
    ben = replace(ben, installation_id=ann.installation_id)
    first, second = known.of(ann, call, MODERN), known.of(ben, call, MODERN)
    assert first is not None
    assert second is not None
    assert (first is second, known.of(ann, call, MODERN) is first) == (False, True)
    assert b"Bearer ben" not in first.head.data
