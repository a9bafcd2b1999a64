"""Nobody without a good token gets anywhere, and many of them cost us little (rows A-1, A-11)."""

import asyncio
import logging
from itertools import product

import pytest

from core.identifiers import new_id
from core.snapshot import Visibility
from core.tokens import new_token
from proxy.answers.plain import PUBLIC
from proxy.edge.answer_headers import METHODS
from proxy.resolve import control_client
from tests.fakes.mcp_upstream import McpUpstream
from tests.fakes.raw_http import RawAnswer, exchange, request_bytes
from tests.proxy.conftest import MakeRig, Rig, eventually, modern_request

BASIC = "Basic dXNlcjpwYXNzd29yZA=="
JWT_LIKE = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."
EVERY_METHOD = (*METHODS, "HEAD", "PUT", "PATCH", "TRACE", "QUERY")
"""Those that are served, and others: a method that is not served must not be a way around."""


def every_request() -> list[tuple[str, str]]:
    """Method and path of everything but what `PUBLIC` says is public."""
    paths = ["/v1/mcp/g", "/v1/mcp/no-such-gateway", f"/v1/mcp/{new_id()}"]
    return [(method, path) for method, path in product(EVERY_METHOD, paths)]


async def ask(rig: Rig, method: str, path: str, authorization: list[str], body: bytes = b"") -> RawAnswer:
    headers = [
        ("Host", "127.0.0.1"),
        ("Content-Type", "application/json"),
        ("Accept", "text/event-stream, application/json"),
        *(("Authorization", value) for value in authorization),
    ]
    return await exchange(rig.port, request_bytes(method, path, headers, body), bodiless=method == "HEAD")


BAD_CREDENTIALS = [
    pytest.param(["Bearer arch_x"], id="A-1: arch_x"),
    pytest.param([f"Bearer {JWT_LIKE}"], id="A-1: JWT-like"),
    pytest.param(["Bearer sk-0123456789abcdefghijklmnop"], id="A-1: sk-"),
    pytest.param([""], id="A-1: empty"),
    pytest.param(["Bearer"], id="A-1: Bearer"),
    pytest.param(["Bearer  {token}"], id="A-1: two spaces"),
    pytest.param(["bearer {unknown}"], id="A-1: bearer"),
    pytest.param([BASIC], id="A-1: Basic"),
    pytest.param([], id="none at all"),
    pytest.param(["Bearer {unknown}"], id="well-formed and unknown"),
    pytest.param(["{token}"], id="without a scheme"),
    pytest.param(["Basic {token}"], id="another scheme"),
    pytest.param(["Bearer {token},"], id="a character more"),
    pytest.param(["Bearer {short}"], id="a character less"),
]


@pytest.mark.parametrize("credentials", BAD_CREDENTIALS)
async def test_every_route_and_method_refuses_a_bad_credential_and_nothing_else_happens(
    rig: Rig, upstream: McpUpstream, credentials: list[str]
) -> None:
    await rig.serve([rig.control.tool("echo", "echo", rig.control.installation(upstream.url))])
    unknown = new_token()
    filled = [text.format(token=rig.token, unknown=unknown, short=rig.token[:-1]) for text in credentials]
    asked = len(rig.control.asked)

    for method, path in every_request():
        answer = await ask(rig, method, path, filled)
        assert answer.status == 401, (method, path, answer)
        challenge = answer.header("WWW-Authenticate") or ""
        assert f'resource_metadata="http://127.0.0.1:8080/.well-known/oauth-protected-resource{path}"' in challenge
        assert ("invalid_token" in challenge) == bool(credentials)
        assert method == "HEAD" or (answer.json["id"], answer.json["error"]["code"]) == (None, -31401)

    assert upstream.seen == []
    assert rig.worker.deps.records.kept == 0
    questions = rig.control.asked[asked:]
    assert questions == (["/internal/token"] if "{unknown}" in "".join(credentials) else [])


async def test_a_token_for_the_api_is_refused_on_every_route_and_method_and_nothing_else_happens(
    rig: Rig, upstream: McpUpstream
) -> None:
    await rig.serve([rig.control.tool("echo", "echo", rig.control.installation(upstream.url))])
    token = rig.control.token_for_api()
    asked = len(rig.control.asked)

    for method, path in every_request():
        answer = await ask(rig, method, path, [f"Bearer {token}"])
        assert answer.status == 403, (method, path, answer)
        assert 'error="insufficient_scope"' in (answer.header("WWW-Authenticate") or "")
        if method != "HEAD":
            assert (answer.json["id"], answer.json["error"]["code"]) == (None, -31403)
            assert "archway tokens create" in answer.json["error"]["message"]

    assert upstream.seen == []
    assert rig.control.asked[asked:] == ["/internal/token"]  # then it is remembered


async def test_a_token_for_the_api_opens_nothing_once_it_is_revoked_either(rig: Rig) -> None:
    await rig.serve([])
    token = rig.control.token_for_api()
    assert (await rig.modern("tools/list", token=token)).status == 403
    await rig.control.revoke(token)

    async def is_unknown() -> bool:
        return (await rig.modern("tools/list", token=token)).status == 401

    await eventually(is_unknown)


@pytest.mark.parametrize("credential", [None, "Bearer {unknown}", "Bearer arch_x"])
async def test_a_401_says_what_there_is_and_of_no_signing_in(rig: Rig, credential: str | None) -> None:
    await rig.serve([])
    given = [] if credential is None else [credential.format(unknown=new_token())]
    said = (await ask(rig, "POST", "/v1/mcp/g", given)).json["error"]["message"]
    assert "sign in" not in said.lower()
    assert "Authorization: Bearer arch_" in said


async def test_the_token_may_stand_nowhere_else(rig: Rig) -> None:
    """Not in the query, a cookie, or a header of another name (MCP authorization, "Token Requirements")."""
    await rig.serve([])
    for target, header in (
        (f"/v1/mcp/g?access_token={rig.token}", ("X-A", "b")),
        ("/v1/mcp/g", ("Cookie", f"token={rig.token}")),
        ("/v1/mcp/g", ("X-Api-Key", rig.token)),
        ("/v1/mcp/g", ("Proxy-Authorization", f"Bearer {rig.token}")),
    ):
        answer = await exchange(rig.port, request_bytes("POST", target, [("Host", "127.0.0.1"), header]))
        assert answer.status in {401, 404}


async def test_the_word_bearer_may_be_in_any_case(rig: Rig) -> None:
    """RFC 9110 section 11.1: what the row's `bearer` must not be refused for."""
    await rig.serve([])
    for scheme in ("bearer", "BEARER", "Bearer"):
        assert (await rig.modern("tools/list", headers={"Authorization": f"{scheme} {rig.token}"})).status == 200


def request_id(answer: RawAnswer) -> bytes:
    return str(answer.json["error"]["data"]["request_id"]).encode()


async def test_what_is_public_is_this_and_shows_nothing_of_anybody(rig: Rig) -> None:
    assert [(sorted(route.methods), route.target) for route in PUBLIC] == [
        (["GET", "HEAD"], "/health"),
        (["GET", "HEAD"], "/ready"),
        (["GET"], "/.well-known/oauth-protected-resource/"),
        (["OPTIONS"], "/.well-known/oauth-protected-resource/"),
        (["OPTIONS"], ""),
    ]
    await rig.serve([])
    await rig.serve([], slug="h", client_auth_beside=["oauth"], visibility=Visibility("teams", teams=["others"]))
    await rig.modern("tools/list")
    where = "/.well-known/oauth-protected-resource/v1/mcp/"
    answers = [await ask(rig, "GET", where + name, []) for name in ("g", "no-such-gateway", new_id())]
    assert {answer.status for answer in answers} == {404}
    assert len({answer.body.replace(request_id(answer), b"") for answer in answers}) == 1
    hidden = await ask(rig, "GET", where + "h", [])
    assert hidden.json == {
        "resource": "http://127.0.0.1:8080/v1/mcp/h",
        "authorization_servers": ["http://127.0.0.1:8080"],
        "bearer_methods_supported": ["header"],
        "resource_name": "h",
        "scopes_supported": ["mcp"],
    }
    asked = len(rig.control.asked)
    assert (await ask(rig, "GET", "/health", [])).body == b'{"status":"ok"}'
    assert (await ask(rig, "GET", "/ready", [])).body == b'{"status":"ready"}'
    assert rig.control.asked[asked:] == []


async def test_a_body_that_says_another_method_does_not_make_a_public_path_private_work(
    rig: Rig, upstream: McpUpstream
) -> None:
    """LiteLLM PR 29355: a public prefix, and `tools/call` in the body."""
    await rig.serve([rig.control.tool("echo", "echo", rig.control.installation(upstream.url))])
    call = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}'
    for path in ("/.well-known/oauth-protected-resource/v1/mcp/g", "/health", "/.well-known/x"):
        answer = await ask(rig, "POST", path, [f"Bearer {rig.token}"], call)
        assert answer.status == 404
    assert upstream.seen == []


FLOOD = 1500


async def flood(rig: Rig, tokens: list[str]) -> list[int]:
    """One request per token, over a few connections; the statuses."""
    message, named = modern_request("tools/list", {})
    statuses: list[int] = []

    async def one_connection(mine: list[str]) -> None:
        statuses.extend([(await rig.post(message, headers=named, token=token)).status for token in mine])

    await asyncio.gather(*(one_connection(tokens[start::16]) for start in range(16)))
    return statuses


@pytest.mark.parametrize("number", [pytest.param(FLOOD, id="A-11: constant small cost")])
async def test_a_flood_of_bad_tokens_costs_no_questions_and_unknown_ones_a_bounded_number(
    make_rig: MakeRig, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_client, "DEADLINE_S", 60.0)  # it answers from the loop that sends the flood
    async with make_rig(unknown_per_second=20) as rig:
        await rig.serve([])
        rig.control.asked.clear()
        assert set(await flood(rig, [f"arch_{number:049d}" for number in range(number)])) == {401}
        assert rig.control.asked == []
        held = len(rig.worker.deps.authority.verdicts.memory)

        began = asyncio.get_running_loop().time()
        statuses = await flood(rig, [new_token() for _ in range(number)])
        seconds = asyncio.get_running_loop().time() - began

        assert set(statuses) <= {401, 429}
        most = 10 * (2 + seconds)  # half of the budget for one source, and a burst of two seconds
        assert 0 < rig.control.asked.count("/internal/token") <= most + 1
        assert len(rig.worker.deps.authority.verdicts.memory) == held
        assert not rig.worker.deps.authority.verdicts.memory._asking


async def test_the_same_unknown_token_is_asked_about_once(rig: Rig) -> None:
    await rig.serve([])
    rig.control.asked.clear()
    token = new_token()
    assert set(await flood(rig, [token] * 200)) == {401}
    assert rig.control.asked.count("/internal/token") == 1


@pytest.mark.parametrize("number", [pytest.param(FLOOD, id="A-11: no log flood")])
async def test_a_flood_writes_a_line_a_second_and_counts_the_rest(
    rig: Rig, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    await rig.serve([])
    with caplog.at_level(logging.DEBUG):
        began = asyncio.get_running_loop().time()
        await flood(rig, ["arch_x"] * number)
        broken = [exchange(rig.port, b"GARBAGE\r\n\r\n") for _ in range(50)]
        assert {answer.status for answer in await asyncio.gather(*broken)} == {400}
        seconds = asyncio.get_running_loop().time() - began

    lines = [record for record in caplog.records if record.msg == "request refused"]
    assert 0 < len(lines) <= seconds + 2
    # Whatever else is said in between is no answer to the flood.
    assert [record for record in caplog.records if record.levelno > logging.INFO or "aiohttp" in record.name] == []
    assert len(caplog.records) < number / 10
    log = rig.worker.deps.refusal_log
    assert log.unsaid == number + 50 - len(lines)
    assert rig.worker.deps.slots.value('archway_refusals_total{reason="not_authenticated"}') == number
    assert rig.worker.deps.slots.value('archway_refusals_total{reason="framing"}') == 50


@pytest.mark.parametrize("number", [pytest.param(FLOOD, id="A-11: no lock-out of others")])
async def test_known_callers_are_served_during_a_flood_from_their_own_address(
    make_rig: MakeRig, upstream: McpUpstream, number: int
) -> None:
    async with make_rig(unknown_per_second=5) as rig:
        await rig.serve([rig.control.tool("echo", "echo", rig.control.installation(upstream.url))])
        assert (await rig.call("echo")).status == 200
        flooding = asyncio.gather(flood(rig, [new_token() for _ in range(number)]))

        served = 0
        while not flooding.done():
            reply = await rig.call("echo")
            assert reply.status == 200
            served += 1
        (statuses,) = await flooding

        assert served >= 10
        assert 429 in statuses
        reply = await rig.call("echo")
        assert reply.result["content"]


async def test_a_caller_whose_role_changes_during_a_flood_is_no_stranger(make_rig: MakeRig) -> None:
    """What a change made us forget must not wait in the queue of those whom nobody knows."""
    async with make_rig(unknown_per_second=1) as rig:
        await rig.serve([])
        assert (await rig.modern("tools/list")).status == 200
        user = next(iter(rig.control.verdicts.values())).principal
        assert user is not None
        await flood(rig, [new_token() for _ in range(40)])

        for _ in range(5):
            await rig.worker.deps.authority.forget_principal("user", user.id)
            assert (await rig.modern("tools/list")).status == 200
