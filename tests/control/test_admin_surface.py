"""What the admin API gives to strangers, to other origins, to broken requests and while PostgreSQL is away."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from control.admin.api import Asked, Operation, Operations
from control.admin.app import RESOURCES, build_app, listen
from control.admin.deps import Deps
from control.admin.permissions import TABLE
from control.changes.first_admin import ensure_first_admin
from control.http import reading
from control.http.answering import SECURITY_HEADERS
from control.http.models import Model
from control.registry.actions import ACTIONS
from control.store.migrate import migrate
from control.store.pool import close_pool, open_pool
from core.identifiers import new_id
from core.tokens import new_token
from tests.fixtures_admin import RUN_TOKEN, AdminClient, Answer
from tests.fixtures_postgres import start_server, stop_server

OPERATIONS = [operation for resource in RESOURCES for operation in resource.declared]
STRANGERS = {
    "nothing": None,
    "empty": "",
    "Bearer": "Bearer",
    "Bearer and a space": "Bearer ",
    "two spaces": f"Bearer  {RUN_TOKEN}",
    "made up": f"Bearer {new_token()}",
    "arch_x": "Bearer arch_x",
    "lower case, made up": f"bearer {new_token()}",
    "JWT-like": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
    "sk-": "Bearer sk-0123456789",
    "Basic": "Basic YWRtaW46YWRtaW4=",
    "the right one under another scheme": f"Token {RUN_TOKEN}",
    "the right one and more": f"Bearer {RUN_TOKEN} x",
}


def path_of(operation: Operation) -> str:
    return re.sub(r"\{\w+\}", lambda _: new_id(), operation.path)


async def raw(admin: AdminClient, request: bytes) -> bytes:
    """Send bytes, read to the end."""
    host, port = admin.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        return await asyncio.wait_for(reader.read(), 30)
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("credential", STRANGERS.values(), ids=STRANGERS)
async def test_a_stranger_gets_401_on_every_operation(admin: AdminClient, credential: str | None) -> None:
    stranger = admin.bearing("")
    headers = {} if credential is None else {"Authorization": credential}
    for operation in OPERATIONS:
        answer = await stranger.send(operation.method, path_of(operation), **headers)
        assert (answer.status, answer.headers["WWW-Authenticate"][:6]) == (401, "Bearer"), operation.key


@pytest.mark.parametrize("bearer", ["s3cr3t-of-another-product", "arch_s3cr3tAndCutOf"])
async def test_a_bearer_that_is_no_token_is_told_what_to_send_and_not_repeated(
    bearer: str, admin: AdminClient
) -> None:
    answer = await admin.bearing(bearer).get("/me")
    assert "Send an API token, which begins with arch_" in answer.json["detail"]
    assert "s3cr3t" not in answer.body.decode()


async def test_a_stranger_does_not_learn_which_paths_exist(admin: AdminClient) -> None:
    assert (await admin.bearing("").get("/nothing-like-this")).status == 401


async def test_two_authorization_headers_are_refused_even_if_one_is_right(admin: AdminClient) -> None:
    answer = await raw(
        admin,
        f"GET /api/v1/me HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {RUN_TOKEN}\r\n"
        f"Authorization: Bearer {RUN_TOKEN}\r\nConnection: close\r\n\r\n".encode(),
    )
    assert answer.split(b" ", 2)[1] in {b"400", b"401"}


def test_every_operation_has_its_row_in_the_table_of_permissions_and_no_row_is_left_over() -> None:
    assert {operation.key for operation in OPERATIONS} == TABLE.keys() - {"GET /openapi.json"}


async def test_the_application_does_not_start_with_an_operation_that_nobody_permitted(deps: Deps) -> None:
    stray = Operations("stray")

    @stray.get("/stray")
    async def get_stray(asked: Asked) -> Model:
        """Nobody thought of this."""
        return Model()

    with pytest.raises(LookupError, match="GET /stray"):
        build_app(deps, [stray])


async def test_a_member_is_refused_wherever_an_admin_is_needed(admin: AdminClient) -> None:
    ann = await admin.as_new_user("Ann")
    for operation in OPERATIONS:
        held = ACTIONS[TABLE[operation.key][0]]
        if not (held.own or held.shown or held.team) and held.role != "member":
            answer = await ann.send(operation.method, path_of(operation), {}, match="*")
            assert answer.status == 403, operation.key


async def test_no_answer_lets_another_origin_in(admin: AdminClient) -> None:
    foreign = {"Origin": "https://evil.example", "Access_Control_Request_Method": "GET"}
    for answer in (
        await admin.get("/me", **foreign),
        await admin.send("OPTIONS", "/me", **foreign),
        await admin.bearing("").send("OPTIONS", "/me", **foreign),
    ):
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


async def test_every_answer_carries_the_security_headers_and_a_request_id(admin: AdminClient) -> None:
    for answer in (
        await admin.get("/me"),
        await admin.get("/nothing"),
        await admin.bearing("").get("/me"),
        await admin.get("/health"),
    ):
        assert SECURITY_HEADERS.items() <= dict(answer.headers).items()
        assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "localhost@evil"])
async def test_a_foreign_host_is_refused(admin: AdminClient, host: str) -> None:
    answer = await admin.get("/me", Host=host)
    assert answer.status in {400, 421}


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:8000"])
async def test_loopback_names_are_served(admin: AdminClient, host: str) -> None:
    assert (await admin.get("/me", Host=host)).status == 200


async def test_health_and_readiness_take_any_host_and_need_no_token(admin: AdminClient) -> None:
    stranger = admin.bearing("")
    for path in ("/health", "/ready"):
        assert (await stranger.get(path, Host="anything.example")).json == {"status": "ok"}


async def test_what_is_sent_is_never_in_a_refusal(admin: AdminClient) -> None:
    secret = "a-secret-that-was-put-into-the-wrong-field"
    for answer in (
        await admin.post("/users", {"name": secret + "\n", "email": secret, "role": secret}),
        await admin.post("/users", secret),
        await admin.get(f"/users?cursor={secret}&limit={secret}"),
        await admin.get(f"/users/{secret}"),
        await admin.patch("/teams/" + new_id(), {"name": 1}, match=secret),
        await admin.bearing(secret).get("/me"),
    ):
        assert 400 <= answer.status < 500
        assert secret not in answer.body.decode()


async def test_an_unknown_field_is_refused_by_its_name(admin: AdminClient) -> None:
    answer = await admin.post("/teams", {"name": "Red", "colour": "red"})
    assert (answer.status, answer.problem("colour")) == (422, "is not a known field")
    answer = await admin.get("/teams?colour=red")
    assert (answer.status, answer.problem("colour")) == (422, "is not a known field")


async def test_a_query_parameter_given_twice_is_refused(admin: AdminClient) -> None:
    assert (await admin.get("/teams?limit=1&limit=2")).problem("limit") == "is given twice"


async def test_every_field_at_fault_is_named_at_once(admin: AdminClient) -> None:
    answer = await admin.post("/users", {"email": "nobody"})
    assert {error["field"] for error in answer.json["errors"]} == {"name", "email"}
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert (answer.json["status"], answer.json["request_id"]) == (422, answer.headers["X-Request-Id"])


async def send_bytes(admin: AdminClient, body: bytes, **headers: str) -> Answer:
    sent = {"Authorization": f"Bearer {admin.token}", "Content-Type": "application/json"} | headers
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{admin.url}/api/v1/teams", data=io.BytesIO(body), headers=sent) as response,
    ):
        return Answer(response.status, response.headers, await response.read())


async def test_a_body_over_the_limit_is_refused(admin: AdminClient) -> None:
    body = json.dumps({"name": "x" * reading.MAX_BODY}).encode()
    assert (await send_bytes(admin, body)).status == 413


async def test_a_body_of_another_type_or_compressed_is_refused(admin: AdminClient) -> None:
    assert (await send_bytes(admin, b"name=Red", **{"Content-Type": "text/plain"})).status == 415
    assert (await send_bytes(admin, b"{}", **{"Content-Encoding": "gzip"})).status in {400, 415}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"name": "\\ud800"}', b"\xff", b"[" * 100_000])
async def test_a_body_that_is_not_the_json_that_is_wanted_is_refused(admin: AdminClient, body: bytes) -> None:
    assert (await send_bytes(admin, body)).status == 422


async def test_the_character_u0000_is_refused_wherever_it_stands(admin: AdminClient) -> None:
    answer = await send_bytes(admin, b'{"name": "x", "description": "a\\u0000b"}')
    assert (answer.status, answer.problem("description")) == (422, "must not hold the character U+0000")
    assert (await admin.get("/teams?name=%00")).status == 422


async def test_a_body_that_does_not_arrive_is_given_up(admin: AdminClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BODY_WITHIN_S", 0.2)
    answer = await raw(
        admin,
        f"POST /api/v1/teams HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {RUN_TOKEN}\r\n"
        'Content-Type: application/json\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{"name"'.encode(),
    )
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_write_without_if_match_is_428_and_a_stale_one_412(admin: AdminClient) -> None:
    path = f"/teams/{(await admin.made('/teams', {'name': 'Red'}))['id']}"
    assert (await admin.send("PATCH", path, {"name": "Blue"})).status == 428
    assert (await admin.send("DELETE", path)).status == 428
    assert (await admin.patch(path, {"name": "Blue"}, match='"1"')).status == 200
    assert (await admin.patch(path, {"name": "Green"}, match='"1"')).status == 412
    assert (await admin.patch(path, {"name": "Green"}, match='W/"2"')).status == 412
    assert (await admin.patch(path, {"name": "Green"}, match="2")).problem("If-Match") == "must be one ETag"
    assert (await admin.get(path)).json["name"] == "Blue"


async def test_two_writers_who_read_the_same_version_do_not_overwrite_each_other(admin: AdminClient) -> None:
    path = f"/teams/{(await admin.made('/teams', {'name': 'Red'}))['id']}"
    answers = await asyncio.gather(*(admin.patch(path, {"name": f"N{n}"}, match='"1"') for n in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 412, 412, 412, 412]


async def test_pages_show_each_item_once_and_the_last_has_no_next(admin: AdminClient) -> None:
    made = [(await admin.made("/teams", {"name": f"Team {n}"}))["id"] for n in range(5)]
    seen, cursor = [], ""
    for _ in range(5):
        page = (await admin.get(f"/teams?limit=2{cursor}")).json
        seen += [team["id"] for team in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == sorted(made)


@pytest.mark.parametrize("cursor", ["x", "AAAA", "%C2%A0", "bm90LWFuLWlk", "eA=="])
async def test_a_cursor_that_is_none_of_ours_is_refused_by_its_name(admin: AdminClient, cursor: str) -> None:
    answer = await admin.get(f"/teams?cursor={cursor}")
    assert (answer.status, "is not a cursor" in answer.problem("cursor")) == (422, True)


async def test_a_bug_shows_a_request_id_and_nothing_of_itself(
    admin: AdminClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the inner secret")

    monkeypatch.setattr("control.store.teams.page", broken)
    answer = await admin.get("/teams")
    assert answer.status == 500
    assert b"inner secret" not in answer.body
    assert b"Traceback" not in answer.body
    assert any(getattr(record, "request_id", "") == answer.json["request_id"] for record in caplog.records)


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer SECRET\x00\r\n\r\n", id="NUL"),
        pytest.param(b"GET /SECRET" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", id="long line"),
        pytest.param(b"SECRET\r\n\r\n", id="not HTTP"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-SECRET : 1\r\n\r\n", id="space in a name"),
    ],
)
async def test_an_unreadable_request_is_quoted_neither_to_the_caller_nor_in_the_log(
    admin: AdminClient, request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = await raw(admin, request_bytes)
    assert answer.split(b" ", 2)[1] == b"400"
    assert b"application/problem+json" in answer
    assert b"SECRET" not in answer
    assert "SECRET" not in caplog.text


@pytest.fixture
async def away(deps: Deps, tmp_path: Path) -> AsyncIterator[AdminClient]:
    """The admin API over a PostgreSQL that stands still."""
    server = await asyncio.to_thread(start_server, tmp_path)
    await migrate(server.dsn())
    pool = await open_pool(server.dsn())
    await ensure_first_admin(pool)
    runner, port = await listen(build_app(replace(deps, pool=pool)), "127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        client = AdminClient(session, f"http://127.0.0.1:{port}", RUN_TOKEN, {})
        assert (await client.get("/me")).status == 200
        server.freeze()
        yield client
    server.thaw()
    await runner.cleanup()
    await close_pool(pool)
    await asyncio.to_thread(stop_server, server)


async def test_while_postgresql_stands_still_callers_are_told_so_in_time(away: AdminClient) -> None:
    began = time.monotonic()
    answers = await asyncio.gather(*(away.get("/teams") for _ in range(30)), away.get("/ready"))
    took = time.monotonic() - began
    assert {answer.status for answer in answers} == {503}
    assert answers[0].headers["Retry-After"] == "1"
    assert took < 15  # 1.5 s and the slowness of a busy machine
    assert (await away.get("/health")).status == 200
