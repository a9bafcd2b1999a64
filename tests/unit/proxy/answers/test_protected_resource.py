"""Where to sign in for a gateway, as clients read it before they have a credential."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.snapshot import TokenIssuer, Visibility
from proxy.answers.protected_resource import protected_resource
from proxy.answers.refused import answer_of_refusal
from proxy.answers.sign_in_steps import METADATA_PATH
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.gateways.compiled import CompiledGateway
from proxy.refusals import Refusal
from tests.fakes.proxy_parts import PUBLIC_URL, exchange, gateway, hold, proxy_parts

PROVIDER = TokenIssuer("p1", "https://idp.example/tenant", "api://archway")


def asked(name: str = "g", **headers: str) -> Exchange:
    return exchange(headers, method="GET", target=f"{METADATA_PATH}/v1/mcp/{name}")


def told(deps: Deps, name: str = "g") -> Any:
    answer = protected_resource(asked(name), deps)
    assert isinstance(answer, Answer)
    assert answer.status == 200
    return json.loads(answer.body)


def ways(*ways: str, **fields: Any) -> CompiledGateway:
    return gateway(client_auth=list(ways), **fields)


async def test_a_gateway_that_takes_access_tokens_names_our_authorization_server(deps: Deps) -> None:
    hold(deps, ways("token", "oauth"))
    assert told(deps) == {
        "resource": f"{PUBLIC_URL}/v1/mcp/g",
        "authorization_servers": [PUBLIC_URL],
        "scopes_supported": ["mcp"],
        "bearer_methods_supported": ["header"],
        "resource_name": "g",
    }


async def test_the_authorization_server_is_named_to_the_letter_as_its_own_metadata_names_it() -> None:
    async with proxy_parts(issuer_url="https://sign-in.example/", public_url="https://gw.example/") as deps:
        hold(deps, ways("oauth"))
        x = exchange({"Host": "gw.example"}, method="GET", target=f"{METADATA_PATH}/v1/mcp/g")
        answer = protected_resource(x, deps)
        assert isinstance(answer, Answer)
        said = json.loads(answer.body)
    assert said["authorization_servers"] == ["https://sign-in.example"]
    assert said["resource"] == "https://gw.example/v1/mcp/g"


async def test_a_gateway_of_a_provider_alone_names_it_and_no_scope_which_it_would_refuse(deps: Deps) -> None:
    hold(deps, ways("jwt", identity_provider=PROVIDER))
    said = told(deps)
    assert said["authorization_servers"] == [PROVIDER.issuer]
    assert "scopes_supported" not in said


async def test_where_both_are_taken_any_client_finds_the_one_at_which_it_can_make_itself_known(deps: Deps) -> None:
    hold(deps, ways("jwt", "oauth", identity_provider=PROVIDER))
    said = told(deps)
    assert said["authorization_servers"] == [PUBLIC_URL, PROVIDER.issuer]
    assert said["scopes_supported"] == ["mcp"]


@pytest.mark.parametrize(
    "held",
    [
        ways("token"),
        ways("jwt"),
        ways("token", identity_provider=PROVIDER),
        ways("what a later version knows"),
    ],
    ids=["tokens alone", "a provider that is gone", "a provider whose tokens are not taken", "an unknown way"],
)
async def test_where_nobody_signs_in_there_is_nothing(deps: Deps, held: CompiledGateway) -> None:
    hold(deps, held)
    with pytest.raises(Refusal, match="no_sign_in"):
        protected_resource(asked(), deps)


async def test_a_gateway_that_is_not_here_is_fetched_and_one_that_does_not_exist_is_like_one_without_sign_in(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def load(name: str, address: str) -> CompiledGateway:
        if name == "g":
            return ways("oauth")
        raise Refusal("gateway_unknown" if name == "nobody" else "gateway_unavailable")

    monkeypatch.setattr(deps.gateways, "load", load)
    pending = protected_resource(asked(), deps)
    assert not isinstance(pending, Answer)
    assert json.loads((await pending).body)["resource"] == f"{PUBLIC_URL}/v1/mcp/g"
    for name, reason in (("nobody", "no_sign_in"), ("late", "gateway_unavailable")):
        pending = protected_resource(asked(name), deps)
        assert not isinstance(pending, Answer)
        with pytest.raises(Refusal, match=reason):
            await pending


async def test_the_resource_is_the_url_that_was_asked_about_by_whichever_name(deps: Deps) -> None:
    """RFC 9728 section 3.3: clients must not use a document with another one."""
    held = hold(deps, ways("oauth"))
    assert told(deps, held.id)["resource"] == f"{PUBLIC_URL}/v1/mcp/{held.id}"
    assert "/v1/mcp/g" not in json.dumps(told(deps, held.id))


async def test_nothing_is_told_of_a_gateway_but_where_to_sign_in(deps: Deps) -> None:
    hidden = ways(
        "oauth", visibility=Visibility("personal", owner="u-1"), description="secret plans", instructions="secret"
    )
    hold(deps, hidden)
    said = told(deps)
    assert set(said) == {
        "resource", "authorization_servers", "scopes_supported", "bearer_methods_supported", "resource_name",
    }  # fmt: skip
    assert "secret" not in json.dumps(said)
    assert "The g" not in json.dumps(said)  # its title


@pytest.mark.parametrize("origin", ["https://any.example", "null"])
async def test_a_page_of_any_origin_may_read_it(deps: Deps, origin: str) -> None:
    hold(deps, ways("oauth"))
    answer = protected_resource(asked(Origin=origin), deps)
    assert isinstance(answer, Answer)
    assert answer.headers == {"Access-Control-Allow-Origin": "*"}


async def test_whoever_reads_it_has_taken_a_step_of_signing_in_and_at_a_foreign_host_one_that_failed(
    deps: Deps,
) -> None:
    hold(deps, ways("oauth"))
    told(deps)
    x = asked(Host="other.example")
    with pytest.raises(Refusal) as refused:
        protected_resource(x, deps)
    answer_of_refusal(x, refused.value, deps)
    steps = [(one.step, one.word, one.gateway, one.asked) for one in deps.sign_ins.take()]
    assert steps == [("metadata", "", "g", ""), ("metadata", "host_unknown", "g", "other.example")]
