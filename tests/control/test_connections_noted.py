"""How sign-ins at servers' providers went is noted where an admin looks: whose, at which entry, why, what helps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from control.changes import entries
from control.changes.write import changing
from control.registry.credential import OAuthCredential
from control.registry.partial import entry_with
from tests.fixtures_people import NOBODY
from tests.fixtures_upstream_accounts import Hosted

CURE = "archway entries sign-in hosted"


async def noted(hosted: Hosted) -> list[dict[str, Any]]:
    return await hosted.rows(
        "select client, user_id::text, reason, cure, times from sign_in_attempts where step = 'connected' order by id"
    )


async def test_a_connection_that_is_made_is_noted(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    await ann.connect("ann")
    (one,) = await noted(hosted)
    assert (one["client"], one["user_id"], one["reason"], one["cure"]) == ("hosted", ann.user["id"], "", "")


@pytest.mark.parametrize(
    ("changes", "reason", "looks"),
    [
        ({"code": "", "error": "access_denied"}, "did not let you in", False),
        ({"code": "", "error": "invalid_scope"}, "answered invalid_scope", True),
        ({"iss": "https://evil.example"}, "came from another provider", True),
        ({"code": ""}, "without a code", True),
        ({"code": "made-up"}, "does not take its own code", True),
    ],
    ids=["consent refused", "refused", "another issuer", "no code", "invalid_grant"],
)
async def test_what_came_of_nothing_is_noted_with_its_cause_and_cure(
    hosted: Hosted, changes: dict[str, str], reason: str, looks: bool
) -> None:
    ann = await hosted.person("Ann")
    back = urlsplit(await ann.sign_in_there((await ann.begin()).to, "ann"))
    answer = {name: values[0] for name, values in parse_qs(back.query).items()} | changes
    query = "&".join(f"{name}={value}" for name, value in answer.items() if value)
    await ann.browser.get(f"{back.path}?{query}")
    (one,) = await noted(hosted)
    assert (one["client"], one["user_id"]) == ("hosted", ann.user["id"])
    assert reason in one["reason"]
    assert one["cure"]
    assert (CURE in one["cure"]) is looks


async def test_another_person_who_brings_the_answer_is_noted_as_who_came(hosted: Hosted) -> None:
    ann, bob = await hosted.person("Ann"), await hosted.person("Bob")
    back = await ann.sign_in_there((await ann.begin()).to, "ann")
    await bob.browser.get(back)
    (one,) = await noted(hosted)
    assert (one["client"], one["user_id"]) == ("hosted", bob.user["id"])
    assert "by somebody else" in one["reason"]


async def test_a_provider_to_which_nobody_can_be_sent_is_noted(hosted: Hosted) -> None:
    settings = OAuthCredential(registration="own", client_id="archway", issuer="http://127.0.0.1:9/none")
    async with changing(hosted.deps.pool, NOBODY) as write:
        await entries.change(
            write,
            hosted.deps.safeguards,
            hosted.entry.id,
            lambda now: replace(entry_with(now, {}), credential=settings),
        )
    ann = await hosted.person("Ann")
    page = await ann.begin()
    assert page.status == 409
    (one,) = await noted(hosted)
    assert one["client"] == "hosted"
    assert one["reason"].startswith("Hosted: ")
    assert CURE in one["cure"]
