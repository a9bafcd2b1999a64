from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import snapshot
from core.keys import new_key, parse_key_ring
from core.signing import Signer, Verifier
from core.snapshot import (
    FORMAT,
    Gateway,
    Index,
    IndexRow,
    Route,
    Rule,
    SnapshotBroken,
    Tool,
    Visibility,
    client_auth_of,
    open_gateway,
    open_index,
    sign_gateway,
    sign_index,
)

SIGNER = Signer(parse_key_ring("K", new_key()))
VERIFIER = Verifier("V", SIGNER.public_keys)
ROUTE = Route("remote", "e1", "github", installation_id="i1", per_principal=False)
TOOL = Tool("github__search", "search", "a1", {"name": "github__search"}, ROUTE, param_headers=[("Id", ["id"])])


def a_gateway(**changed: Any) -> Gateway:
    whole = Gateway(
        FORMAT,
        "g1",
        "work",
        "Work",
        3,
        Visibility("teams", ["t1"]),
        [TOOL],
        rules=[Rule("refuse", "held_back", ["x"])],
    )
    return msgspec.structs.replace(whole, **changed)


def test_a_gateway_comes_back_whole() -> None:
    assert open_gateway(sign_gateway(a_gateway(), SIGNER), "g1", VERIFIER) == a_gateway()


@pytest.mark.parametrize(
    "gateway",
    [a_gateway(format=FORMAT + 1), a_gateway(tools=[TOOL, TOOL])],
    ids=["of a later format", "with two tools of one name"],
)
def test_what_this_version_cannot_read_rightly_is_refused_whole(gateway: Gateway) -> None:
    with pytest.raises(SnapshotBroken):
        open_gateway(sign_gateway(gateway, SIGNER), "g1", VERIFIER)


def test_one_gateway_does_not_pass_for_another_nor_for_the_index() -> None:
    document = sign_gateway(a_gateway(), SIGNER)
    with pytest.raises(SnapshotBroken):
        open_gateway(document, "g2", VERIFIER)
    with pytest.raises(SnapshotBroken):
        open_index(document, VERIFIER)
    lying = SIGNER.sign(msgspec.msgpack.encode(a_gateway(id="g2")), "gateway", "g1")
    with pytest.raises(SnapshotBroken):
        open_gateway(lying, "g1", VERIFIER)


@given(st.data())
def test_a_changed_byte_anywhere_spoils_the_whole(data: st.DataObject) -> None:
    document = bytearray(sign_gateway(a_gateway(), SIGNER))
    document[data.draw(st.integers(0, len(document) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SnapshotBroken):
        open_gateway(bytes(document), "g1", VERIFIER)


def test_too_large_a_document_is_not_even_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    document = sign_gateway(a_gateway(), SIGNER)
    monkeypatch.setattr(snapshot, "MAX_BYTES", len(document) - 1)
    with pytest.raises(SnapshotBroken, match="larger than"):
        open_gateway(document, "g1", VERIFIER)


def test_a_signed_document_of_another_shape_is_refused() -> None:
    with pytest.raises(SnapshotBroken):
        open_gateway(SIGNER.sign(msgspec.msgpack.encode({"id": "g1"}), "gateway", "g1"), "g1", VERIFIER)


def test_the_index_comes_back_and_a_later_format_is_refused() -> None:
    index = Index(FORMAT, "epoch", 9, [IndexRow("g1", "work", 3)])
    assert open_index(sign_index(index, SIGNER), VERIFIER) == index
    with pytest.raises(SnapshotBroken, match="later"):
        open_index(sign_index(msgspec.structs.replace(index, format=FORMAT + 1), SIGNER), VERIFIER)


class GatewayBefore(Gateway, frozen=True, omit_defaults=True):
    """As the version before reads it."""

    client_auth: list[Literal["token"]] = msgspec.field(default_factory=lambda: ["token"])


def test_a_gateway_that_accepts_tokens_is_read_by_the_version_before_and_its_own_here() -> None:
    read = VERIFIER.verify(sign_gateway(a_gateway(), SIGNER), "gateway", "g1")
    assert msgspec.msgpack.decode(read, type=GatewayBefore).client_auth == ["token"]
    before = GatewayBefore(**{name: getattr(a_gateway(), name) for name in Gateway.__struct_fields__})
    sent = SIGNER.sign(msgspec.msgpack.encode(before), "gateway", "g1")
    assert open_gateway(sent, "g1", VERIFIER) == a_gateway(client_auth=["token"])


@pytest.mark.parametrize("ways", [{"token"}, {"oauth", "token"}, {"token", "jwt", "oauth"}, {"token", "a later one"}])
def test_a_gateway_that_accepts_tokens_among_others_is_read_by_the_version_before(ways: set[str]) -> None:
    accepted, beside = client_auth_of(ways)
    document = sign_gateway(a_gateway(client_auth=accepted, client_auth_beside=beside), SIGNER)
    assert open_gateway(document, "g1", VERIFIER).ways == ways
    read = msgspec.msgpack.decode(VERIFIER.verify(document, "gateway", "g1"), type=GatewayBefore)
    assert read.client_auth == ["token"]


@pytest.mark.parametrize("ways", [set(), {"oauth"}, {"oauth", "jwt"}])
def test_a_gateway_that_accepts_no_tokens_is_none_for_the_version_before_which_would_take_them(
    ways: set[str],
) -> None:
    accepted, beside = client_auth_of(ways)
    document = sign_gateway(a_gateway(client_auth=accepted, client_auth_beside=beside), SIGNER)
    assert open_gateway(document, "g1", VERIFIER).ways - {"none"} == ways
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(VERIFIER.verify(document, "gateway", "g1"), type=GatewayBefore)


def test_a_way_of_authenticating_of_a_later_version_leaves_the_rest_of_the_gateway_readable() -> None:
    later = a_gateway(client_auth=["token", "of a later version"])
    assert open_gateway(sign_gateway(later, SIGNER), "g1", VERIFIER) == later
