"""Pages of calls over plain HTTP: whose one sees, what is looked for, what is missing, and one call in full."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from control.registry.user import User
from control.store import records
from control.store.pool import transaction
from control.store.records import BatchRow
from core.identifiers import new_id
from tests.console.serving import Console, reading
from tests.control import seeded

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


async def kept(console: Console, person: User, *, number: int = 0, ago: timedelta = timedelta(), **told: Any) -> str:
    """A record with all that it says; `number`: of its batch, so that those before it are missing."""
    console.batches = number or console.batches + 1
    moment, record_id = datetime.now(UTC) - ago, new_id()
    told = {
        "principal": f"user:{person.id}", "status": "ok", "decision": "allowed", "tool": "search",
        "method": "tools/call", "gateway_id": "", "entry_id": "", "installation_id": "", **told,
    }  # fmt: skip
    row = BatchRow("a-worker", console.batches, 1, 0, moment, moment)
    values = (
        record_id, moment, told["principal"], "", told["gateway_id"], told["tool"], told["entry_id"],
        told["installation_id"], told["decision"], told["status"], told.get("request_id", record_id), 12.0, told,
    )  # fmt: skip
    async with transaction(console.pool) as connection:
        await records.make_partitions(connection, [moment.date()])
        await records.insert_batch(connection, row, [values])
    return record_id


def listed(text: str) -> list[str]:
    return re.findall(r'href="/activity/([0-9a-f-]{36})"', text)


async def test_everybody_sees_their_own_calls_and_an_admin_all(console: Console) -> None:
    ann, bea = await console.person("Ann", "admin"), await console.person("Bea Bell")
    hers, theirs = await kept(console, bea), await kept(console, ann)
    async with reading(console, bea) as reader:
        _, text = await reader.get("/activity")
        assert listed(text) == [hers]
        assert "Your calls of the last 30 days" in text
        assert (await reader.get(f"/activity/{hers}"))[0] == 200
        assert (await reader.get(f"/activity/{theirs}"))[0] == 404
        assert listed((await reader.get(f"/activity?principal=user:{ann.id}"))[1]) == []
    async with reading(console, ann) as reader:
        _, text = await reader.get("/activity")
        assert listed(text) == [theirs, hers]
        assert f'<a href="/people/{bea.id}"><bdi>Bea Bell</bdi></a>' in text


async def test_calls_are_found_by_what_stands_in_the_address(console: Console) -> None:
    ann, bea = await console.person("Ann", "admin"), await console.person("Bea")
    async with transaction(console.pool) as connection:
        entry, gateway = await seeded.entry(connection), await seeded.gateway(connection, "sales")
    asked = new_id()
    one = await kept(console, ann, gateway_id=gateway, entry_id=entry, tool="find", client="Claude Code 2")
    two = await kept(console, bea, status="upstream_slow", decision="refused", request_id=asked)
    old = await kept(console, ann, ago=timedelta(days=2), tool="old")
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    async with reading(console, ann) as reader:
        for query, found in (
            ("", [two, one, old]),
            (f"gateway={gateway}", [one]),
            (f"entry={entry}", [one]),
            ("tool=find", [one]),
            (f"principal=user:{bea.id}", [two]),
            ("status=upstream_slow", [two]),
            ("decision=refused", [two]),
            ("within=day", [two, one]),
            (f"from={hour_ago}", [two, one]),
            (f"to={hour_ago}", [old]),
            ("client=claude", [one]),
            (f"request_id={asked}", [two]),
            ("tool=find&gateway=&status=&from=&to=", [one]),
        ):
            assert listed((await reader.get(f"/activity?{query}"))[1]) == found, query


async def test_the_newest_stand_first_and_the_rest_behind_a_cursor_with_the_same_filters(console: Console) -> None:
    ann = await console.person("Ann", "admin")
    made = [await kept(console, ann, tool="find") for _ in range(3)]
    await kept(console, ann, tool="other")
    async with reading(console, ann) as reader:
        found, path = [], "/activity?limit=2&tool=find"
        while path:
            _, text = await reader.get(path)
            found += listed(text)
            more = re.search(r'href="([^"]*cursor=[^"]*)" rel="next"', text)
            path = unescape(more[1]) if more else ""
    assert found == made[::-1]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=yesterday", "From must be a time such as"),
        ("gateway=sales", "Gateway must be an identifier"),
        (
            "gateway=0198e000-0000-7000-8000-00000000000f",
            "Gateway is not the id of a gateway, and no record names it",
        ),
        ("status=good", "Status must be"),
        ("cursor=nonsense", "cursor is not a cursor of this list"),
        ("colour=red", "colour is not a known field"),
    ],
)
async def test_a_filter_that_cannot_be_is_told_of_and_stays_as_it_was_typed(
    console: Console, query: str, said: str
) -> None:
    ann = await console.person("Ann", "admin")
    await kept(console, ann)
    async with reading(console, ann) as reader:
        status, text = await reader.get(f"/activity?{query}&tool=typed")
    assert (status, listed(text)) == (200, [])
    assert said in unescape(text).replace("Place is", "cursor is")
    assert 'value="typed"' in text


async def test_what_the_address_names_is_chosen_though_the_filter_would_not_offer_it(console: Console) -> None:
    ann, gone = await console.person("Ann", "admin"), new_id()
    one = await kept(console, ann, gateway_id=gone)
    async with reading(console, ann) as reader:
        _, text = await reader.get(f"/activity?gateway={gone}")
    assert listed(text) == [one]
    assert f'<option value="{gone}" selected>' in text


async def test_one_call_is_told_in_full_with_whose_account_it_used(console: Console) -> None:
    ann, bea = await console.person("Ann", "admin"), await console.person("Bea Bell")
    async with transaction(console.pool) as connection:
        team = await seeded.team(connection, "Support")
        entry, gateway = await seeded.entry(connection), await seeded.gateway(connection, "sales")
        installation = await seeded.installation(connection, entry, team=team, name="Support's GitHub")
    one = await kept(
        console, bea, gateway_id=gateway, entry_id=entry, installation_id=installation,
        installation_owner=f"team:{team}", credential_version=4, client="Evil \u202eclient", auth="oauth",
        status="upstream_refused", decision="refused", reason="The server could not be reached.",
        arguments_sha256=DIGEST, bytes_in=10, bytes_out=20, trace_id="ab" * 16, account="support@example.com",
    )  # fmt: skip
    async with reading(console, ann) as reader:
        assert "as <bdi>support@example.com</bdi>" in (await reader.get("/activity"))[1]
        status, text = await reader.get(f"/activity/{one}")
    text = unescape(text)
    assert status == 200
    for told in (
        "The server could not be reached.", "upstream refused", "Bea Bell", "signing in", "Evil ⟨U+202E⟩client",
        DIGEST, f'href="/teams/{team}"><bdi>the team Support</bdi></a>', "support@example.com", "credential 4",
        f'href="/installations/{installation}"><bdi>Support\'s GitHub</bdi></a>', "10 in, 20 out",
        f'href="/gateways/{gateway}"><bdi>Sales</bdi></a>', f"archway records show {one}",
    ):  # fmt: skip
        assert told in text, told


async def test_what_a_record_names_and_one_may_not_see_has_no_name(console: Console) -> None:
    ann, bea = await console.person("Ann Admin", "admin"), await console.person("Bea")
    async with transaction(console.pool) as connection:
        team = await seeded.team(connection, "Red")
        entry = await seeded.entry(connection, "hidden", visibility="teams")
        gateway = await seeded.gateway(connection, "secret", teams=(team,))
        installation = await seeded.installation(connection, entry, user=ann.id, name="Ann's own")
    one = await kept(
        console, bea, gateway_id=gateway, entry_id=entry, installation_id=installation,
        installation_owner=f"user:{ann.id}",
    )  # fmt: skip
    async with reading(console, bea) as reader:
        for path in ("/activity", f"/activity/{one}"):
            text = unescape((await reader.get(path))[1])
            assert [word in text for word in ("Secret", "Hidden", "Ann's own", "Ann Admin")] == [False] * 4
        assert "somebody else" in text
        assert "gone, or not shown to you" in text


async def test_gaps_are_told_to_whoever_may_know_of_them(console: Console) -> None:
    ann, ed = await console.person("Ann", "admin"), await console.person("Ed", "editor")
    await kept(console, ed)
    await kept(console, ed, number=4)
    async with reading(console, ann) as reader:
        _, text = await reader.get("/activity")
        assert "Records of this time are missing" in text
        assert "2 batches of" in text
        assert "are missing" not in (await reader.get("/activity?to=2020-01-01T00:00"))[1]
    async with reading(console, ed) as reader:
        assert "are missing" not in (await reader.get("/activity"))[1]
