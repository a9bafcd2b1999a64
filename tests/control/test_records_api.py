"""`/records` over the admin API."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from control.records.rows import days_of, rows_of
from control.store.pool import Pool, transaction
from control.store.records import insert_batch, make_partitions
from core.identifiers import new_id
from core.records import Batch, CallRecord
from tests.fixtures_admin import AdminClient

NOW = datetime.now(UTC)
GATEWAY, PERSON = "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"
ENTRY, INSTALLATION = "00000000-0000-7000-8000-000000000003", "00000000-0000-7000-8000-000000000004"


async def keep(pool: Pool, *records: CallRecord, number: int = 1, worker: str = "w1", dropped: int = 0) -> None:
    row, values = rows_of(Batch(worker, number, dropped, list(records)), NOW, 30)
    async with transaction(pool) as conn:
        await make_partitions(conn, sorted(days_of(values)))
        await insert_batch(conn, row, values)


def a_call(ago_s: float = 0, **fields: Any) -> CallRecord:
    time = (NOW - timedelta(seconds=ago_s)).timestamp()
    usual = {"id": new_id(), "time": time, "duration_ms": 2.5, "request_id": "r1", "decision": "allowed"}
    return CallRecord(**{**usual, "status": "ok", "method": "tools/call", **fields})


async def test_calls_are_listed_newest_first_in_pages(admin: AdminClient, pool: Pool) -> None:
    await keep(pool, *(a_call(ago_s=age, tool=f"t{age}") for age in (30, 10, 20, 40)))
    first = (await admin.get("/records?limit=3")).json
    assert [item["tool"] for item in first["items"]] == ["t10", "t20", "t30"]
    second = (await admin.get(f"/records?limit=3&cursor={first['next']}")).json
    assert ([item["tool"] for item in second["items"]], second["next"]) == (["t40"], None)


async def test_a_call_is_shown_with_every_field(admin: AdminClient, pool: Pool) -> None:
    call = a_call(principal="user:1", bytes_in=7, duration_ms=float("nan"))
    await keep(pool, call)
    item = (await admin.items("/records"))[0]
    assert (item["id"], item["principal"], item["bytes_in"]) == (call.id, "user:1", 7)
    assert (item["bytes_out"], item["trace_id"], item["duration_ms"]) == (0, "", None)
    assert datetime.fromisoformat(item["time"]).timestamp() == pytest.approx(call.time, abs=0.002)
    assert set(item) == set(CallRecord.__struct_fields__)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (f"gateway={GATEWAY}", ["a"]),
        (f"principal=user:{PERSON}", ["b"]),
        ("principal=organisation", []),
        ("tool=b", ["b"]),
        ("status=tool_error", ["b"]),
        ("decision=refused", ["c"]),
        ("decision=allowed&status=ok", ["a"]),
        ("status=upstream_slow", []),
        (f"entry={ENTRY}", ["b"]),
        (f"installation={INSTALLATION}", ["c"]),
        (f"entry={ENTRY}&decision=refused", []),
        ("client=claude", ["a", "b"]),
        ("client=Claude-Code", ["a"]),
        ("client=code", []),
        ("client=%25", []),
        ("client=100%25_", ["c"]),
        ("request_id=r-b", ["b"]),
        ("request_id=r-", []),
    ],
)
async def test_filters_narrow_the_list_and_the_export(
    filters: str, found: list[str], admin: AdminClient, pool: Pool
) -> None:
    await keep(
        pool,
        a_call(tool="a", gateway_id=GATEWAY, principal="team:x", client="claude-code 2.1"),
        a_call(
            ago_s=1, tool="b", status="tool_error", principal=f"user:{PERSON}", entry_id=ENTRY, client="Claude 1",
            request_id="r-b",
        ),
        a_call(
            ago_s=2, tool="c", decision="refused", status="quarantined", installation_id=INSTALLATION,
            client="100%_sure 1",
        ),
    )  # fmt: skip
    assert [item["tool"] for item in await admin.items(f"/records?{filters}")] == found
    lines = (await admin.get(f"/records/export?{filters}")).body.splitlines()
    assert [json.loads(line)["tool"] for line in lines] == found


async def test_a_call_is_found_by_its_request_which_is_nearly_always_its_own_identifier(
    admin: AdminClient, pool: Pool
) -> None:
    usual, other = new_id(), new_id()
    await keep(
        pool,
        a_call(tool="usual", id=usual, request_id=usual),
        a_call(ago_s=1, tool="other", id=other, request_id=usual),
    )
    assert [item["tool"] for item in await admin.items(f"/records?request_id={usual}")] == ["usual", "other"]
    assert await admin.items(f"/records?request_id={other}") == []


async def test_a_span_of_time_has_its_beginning_and_not_its_end(admin: AdminClient, pool: Pool) -> None:
    await keep(pool, *(a_call(ago_s=age, tool=f"t{age}") for age in (10, 20, 30)))
    since, until = (NOW - timedelta(seconds=age) for age in (20, 10))
    span = f"from={since.isoformat()}&to={until.isoformat()}".replace("+", "%2B")
    assert [item["tool"] for item in await admin.items(f"/records?{span}")] == ["t20"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("cursor=x", "cursor"),
        ("cursor=MjAyNiBub3BlIA", "cursor"),
        ("decision=maybe", "decision"),
        ("from=yesterday", "from"),
        ("tool=%00", "tool"),
        ("who=me", "who"),
        ("gateway=demo", "gateway"),
        (f"gateway={GATEWAY}", "gateway"),
        ("principal=ann@example.com", "principal"),
        (f"principal={PERSON}", "principal"),
        ("status=failed", "status"),
    ],
)
@pytest.mark.parametrize("path", ["/records", "/records/export"])
async def test_what_is_no_filter_is_refused_by_name(path: str, query: str, field: str, admin: AdminClient) -> None:
    answer = await admin.get(f"{path}?{query}")
    assert answer.status == 422
    assert answer.problem(field)


async def test_the_export_is_one_json_object_a_line_beyond_one_page(admin: AdminClient, pool: Pool) -> None:
    await keep(pool, *(a_call(ago_s=number / 100, tool=f"t{number}") for number in range(1_201)))
    answer = await admin.get("/records/export")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/jsonl"
    tools = [json.loads(line)["tool"] for line in answer.body.splitlines()]
    assert tools == [f"t{number}" for number in range(1_201)]


async def test_an_export_of_nothing_is_empty(admin: AdminClient) -> None:
    answer = await admin.get("/records/export")
    assert (answer.status, answer.body) == (200, b"")


async def test_gaps_are_listed_in_pages_with_what_the_worker_gave_up(admin: AdminClient, pool: Pool) -> None:
    await keep(pool, a_call(ago_s=60), number=1)
    await keep(pool, a_call(ago_s=30), number=4)
    await keep(pool, a_call(), number=5, dropped=3)
    first = (await admin.get("/records/gaps?limit=1")).json
    second = (await admin.get(f"/records/gaps?limit=1&cursor={first['next']}")).json
    assert second["next"] is None
    dropped, missing = first["items"][0], second["items"][0]
    assert (dropped["first_number"], dropped["dropped"]) == (None, 3)
    assert (missing["worker"], missing["first_number"], missing["last_number"]) == ("w1", 2, 3)
    assert missing["after_time"] < missing["before_time"]
    assert await admin.items("/records/gaps?worker=w2") == []


async def test_members_see_no_gaps(admin: AdminClient) -> None:
    member = await admin.as_new_user("Ann")
    assert (await member.get("/records/gaps")).status == 403


async def test_records_are_read_by_their_owner_a_teams_by_its_admins_and_all_by_an_admin(
    admin: AdminClient, pool: Pool
) -> None:
    red, blue = await admin.made("/teams", {"name": "Red"}), await admin.made("/teams", {"name": "Blue"})
    ann, bea = await admin.as_new_user("Ann"), await admin.as_new_user("Bea")
    for person, team, role in (
        (ann, red, "member"),
        (ann, blue, "editor"),
        (bea, red, "admin"),
        (bea, blue, "member"),
    ):
        await admin.put(f"/teams/{team['id']}/members/{person.user['id']}", {"role": role})
    principals = [f"user:{ann.user['id']}", f"user:{bea.user['id']}", f"team:{red['id']}", f"team:{blue['id']}"]
    principals += ["organisation", ""]
    calls = {whose: a_call(principal=whose) for whose in principals}
    await keep(pool, *calls.values())
    for reader, read in ((ann, [principals[0]]), (bea, [principals[1], principals[2]]), (admin, principals)):
        assert {item["principal"] for item in await reader.items("/records")} == {*read}
        exported = (await reader.get("/records/export")).body.splitlines()
        assert {json.loads(line)["principal"] for line in exported} == {*read}
        shown = [whose for whose, call in calls.items() if (await reader.get(f"/records/{call.id}")).status == 200]
        assert shown == read


async def test_filters_never_widen_what_a_member_reads_or_tell_what_there_is(admin: AdminClient, pool: Pool) -> None:
    ann = await admin.as_new_user("Ann")
    await keep(pool, a_call(principal=f"user:{PERSON}", gateway_id=GATEWAY))
    for filters in (f"principal=user:{PERSON}", f"gateway={GATEWAY}", f"gateway={new_id()}", "decision=allowed"):
        assert await ann.items(f"/records?{filters}") == []


async def test_an_outcome_that_there_is_not_is_refused_with_those_that_there_are(admin: AdminClient) -> None:
    for query, allowed in (("status=failed", "'upstream_slow'"), ("decision=maybe", "'refused'")):
        assert allowed in (await admin.get(f"/records?{query}")).json["detail"]


async def test_a_gateway_that_nobody_called_has_an_empty_list(admin: AdminClient) -> None:
    made = (await admin.post("/gateways", {"slug": "quiet", "name": "Quiet"})).json
    assert await admin.items(f"/records?gateway={made['id']}") == []


@pytest.mark.parametrize(("name", "allowed"), [("object_kind", "'membership'"), ("action", "'revoke'")])
async def test_the_audit_trail_too_knows_what_it_can_be_asked_for(
    name: str, allowed: str, admin: AdminClient
) -> None:
    answer = await admin.get(f"/audit?{name}=nonsense")
    assert answer.status == 422
    assert allowed in answer.problem(name)


async def test_one_call_is_shown_by_its_id(admin: AdminClient, pool: Pool) -> None:
    call, other = a_call(tool="a", reason="Because."), a_call(ago_s=86_400 * 3, tool="b", left_out=7)
    await keep(pool, call, other)
    shown = (await admin.get(f"/records/{call.id}")).json
    assert (shown["tool"], shown["reason"], shown["left_out"]) == ("a", "Because.", 0)
    assert (await admin.get(f"/records/{other.id}")).json["left_out"] == 7


@pytest.mark.parametrize("record_id", ["01900000-0000-7000-8000-000000000000", "nothing", "GAPS"])
async def test_a_record_that_is_not_there_is_told_so(admin: AdminClient, record_id: str) -> None:
    assert (await admin.get(f"/records/{record_id}")).status in {404, 422}


@pytest.mark.parametrize("name", ["gateway", "entry", "installation"])
async def test_what_no_record_names_and_nothing_is_called_is_refused_rather_than_found_empty(
    admin: AdminClient, name: str
) -> None:
    refused = await admin.get(f"/records?{name}={new_id()}")
    assert (refused.status, "no record names it" in refused.problem(name)) == (422, True)


async def test_a_record_says_which_account_acted(admin: AdminClient, pool: Pool) -> None:
    person = f"user:{PERSON}"
    await keep(pool, a_call(principal=person, account="octocat"), a_call(principal=person))
    items = await admin.items(f"/records?principal={person}")
    assert sorted(item["account"] for item in items) == ["", "octocat"]


async def test_a_refusal_at_the_door_is_a_record_like_others(admin: AdminClient, pool: Pool) -> None:
    person = f"user:{PERSON}"
    refused = {"decision": "refused", "status": "gateway_unknown", "method": "", "gateway_asked": "hidden"}
    await keep(pool, a_call(principal=person, **refused), a_call(principal=person))
    (item,) = await admin.items(f"/records?principal={person}&decision=refused&status=gateway_unknown")
    assert (item["gateway_asked"], item["gateway_id"], item["method"]) == ("hidden", "", "")
