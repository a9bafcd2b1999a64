"""Sessions of legacy clients (row M-7): whoever does not own one is told that there is none, by every method."""

import pytest

from core.identifiers import new_id
from core.resolve import CallerVerdict
from core.tokens import digest, new_token
from tests.proxy.conftest import Reply, Rig

METHODS = ["POST", "GET", "DELETE"]


async def use(rig: Rig, method: str, session: str, *, token: str | None = None, gateway: str = "g") -> Reply:
    """The session as a caller of `method` presents it; `token` "" sends none."""
    headers = {
        "MCP-Protocol-Version": "2025-11-25",
        "Mcp-Session-Id": session,
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
    }
    if token != "":
        headers["Authorization"] = f"Bearer {token or rig.token}"
    body = b'{"jsonrpc":"2.0","id":1,"method":"ping"}' if method == "POST" else None
    async with rig.http.request(method, rig.url(gateway), headers=headers, data=body) as response:
        return Reply(
            response.status, dict(response.headers), await response.read() if response.status != 200 else b""
        )


def row(name: str) -> list[object]:
    return [pytest.param(method, id=f"{method}-M-7: {name}") for method in METHODS]


def flip(session: str) -> str:
    return session[:-2] + ("AA" if session[-2:] != "AA" else "BB")


async def is_unknown(reply: Reply) -> None:
    assert reply.status == 404
    assert reply.error["code"] == -31404
    assert reply.json["id"] is None


@pytest.mark.parametrize("method", row("guessed"))
async def test_a_guessed_session_is_unknown(rig: Rig, method: str) -> None:
    await rig.serve([])
    session = await rig.open_session()

    await is_unknown(await use(rig, method, flip(session)))
    assert (await use(rig, "POST", session)).status == 200


@pytest.mark.parametrize("method", row("leaked to a caller without a token"))
async def test_a_leaked_session_is_no_credential(rig: Rig, method: str) -> None:
    await rig.serve([])
    session = await rig.open_session()

    assert (await use(rig, method, session, token="")).status == 401
    assert (await use(rig, "POST", session)).status == 200


@pytest.mark.parametrize("method", row("other principal"))
@pytest.mark.parametrize("kind", ["user", "team", "organisation"])
async def test_another_principals_session_is_unknown(rig: Rig, kind: str, method: str) -> None:
    await rig.serve([])
    session = await rig.open_session()
    assert (await use(rig, "POST", session)).status == 200  # seen here, so it is the warm path that refuses

    await is_unknown(await use(rig, method, session, token=rig.control.token(kind)))
    assert (await use(rig, "POST", session)).status == 200


@pytest.mark.parametrize("method", row("other gateway"))
async def test_a_session_of_one_gateway_is_unknown_at_another(rig: Rig, method: str) -> None:
    await rig.serve([])
    await rig.serve([], slug="other")
    session = await rig.open_session()
    assert (await use(rig, "POST", session)).status == 200

    await is_unknown(await use(rig, method, session, gateway="other"))


@pytest.mark.parametrize("method", row("fixation"))
@pytest.mark.parametrize("chosen", ["1", "01a1fc0e-f51c-7acb-8100-1a6964f3ad04", "A" * 100, "A" * 600, "=", "~"])
async def test_a_session_that_the_client_chose_is_unknown(rig: Rig, chosen: str, method: str) -> None:
    await rig.serve([])

    await is_unknown(await use(rig, method, chosen))


async def test_initialize_does_not_take_over_a_session_that_came_with_it(rig: Rig) -> None:
    await rig.serve([])
    first = await rig.open_session()

    second = await rig.open_session(headers={"Mcp-Session-Id": first})

    assert second != first


@pytest.mark.parametrize("method", row("anonymous upgrade"))
async def test_a_session_never_becomes_somebody_elses_by_signing_in(rig: Rig, method: str) -> None:
    """There is no anonymous session: `initialize` without a token opens none, and a new token's bearer gets none."""
    await rig.serve([])
    opened = await rig.post(
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}},
        headers={"Authorization": ""},
    )

    assert opened.status == 401
    assert "Mcp-Session-Id" not in opened.headers
    session = await rig.open_session(token=rig.control.token("team"))
    await is_unknown(await use(rig, method, session))


@pytest.mark.parametrize("method", row("after logout"))
async def test_a_session_that_was_ended_is_unknown(rig: Rig, method: str) -> None:
    await rig.serve([])
    session = await rig.open_session()
    assert (await use(rig, "POST", session)).status == 200

    assert (await use(rig, "DELETE", session)).status == 204

    await is_unknown(await use(rig, method, session))


async def test_a_session_belongs_to_the_caller_not_to_the_token(rig: Rig) -> None:
    await rig.serve([])
    session = await rig.open_session()
    renewed = new_token()
    principal = rig.control.verdicts[digest(rig.token)].principal
    rig.control.verdicts[digest(renewed)] = CallerVerdict(digest(renewed), principal, new_id())

    assert (await use(rig, "POST", session, token=renewed)).status == 200
