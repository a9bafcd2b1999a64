from __future__ import annotations

from typing import Literal

import msgspec
import pytest

from core.resolve import InstallationAnswer, InstallationRefusal, Principal, ResolvedInstallation, TokenVerdict

CONNECTION = ResolvedInstallation(
    "i1",
    "e1",
    "github",
    "user:u1",
    "remote",
    "https://github.test/mcp",
    3,
    credential_headers=[("authorization", "s3cret")],
)


@pytest.mark.parametrize(
    "answer",
    [
        TokenVerdict("d", Principal("user", "u1", "Ann", frozenset({"t1"})), "t", 5.5),
        TokenVerdict("d", refusal="revoked"),
        TokenVerdict("d", token_id="t", kept_out=Principal("user", "u1", "Ann")),
        InstallationAnswer(installation=CONNECTION),
        InstallationAnswer(refusal=InstallationRefusal("credential_missing", "why", "https://archway.test")),
    ],
)
def test_answers_survive_the_wire(answer: msgspec.Struct) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(answer), type=type(answer)) == answer


def test_a_verdict_says_its_refusal_under_the_name_that_planes_of_other_versions_know() -> None:
    said = msgspec.msgpack.decode(msgspec.msgpack.encode(TokenVerdict("d", refusal="revoked")))
    assert said == {"digest": "d", "refused": "revoked"}


def test_a_token_that_is_not_for_gateways_has_no_bearer_for_proxies_of_the_version_before() -> None:
    class BeforeItSaidSo(msgspec.Struct, frozen=True):
        digest: str
        principal: Principal | None = None
        token_id: str = ""
        expires: float | None = None
        refused: Literal["", "unknown", "revoked", "expired", "disabled"] = ""

    said = msgspec.msgpack.encode(TokenVerdict("d", token_id="t", kept_out=Principal("user", "u1", "Ann")))
    assert msgspec.msgpack.decode(said, type=BeforeItSaidSo) == BeforeItSaidSo("d", token_id="t")


def test_a_connection_shows_no_credential() -> None:
    assert "s3cret" not in repr(CONNECTION)
    assert "s3cret" not in repr(InstallationAnswer(installation=CONNECTION))
