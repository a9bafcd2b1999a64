"""What an identity provider gives at a person's own sign-in is in their row, sealed, and nowhere else (row X-1)."""

from __future__ import annotations

import pytest

from control.identity.kept_tokens import KeptTokens
from control.identity.key_sets import KeySets
from control.identity.presence import Presence
from control.identity.refreshes import Refreshes
from control.identity.token_endpoint import ProviderTokens
from control.providers.asking import Asker
from tests.control.corp_sign_in import Corp
from tests.fixtures_redis import RedisServer, everything_in
from tests.plugins.secret_canaries import Canaries, Sinks


async def the_database(corp: Corp) -> str:
    """Every row of every table, as text."""
    tables = await corp.people.rows("select tablename as name from pg_tables where schemaname = 'public'")
    lines = []
    for table in tables:
        lines += await corp.people.rows(f'select t::text as line from "{table["name"]}" t')
    return "\n".join(row["line"] for row in lines)


@pytest.mark.parametrize("what", [
    pytest.param("access_token", id="X-1: kept access token"),
    pytest.param("id_token", id="X-1: kept ID token"),
    pytest.param("refresh_token", id="X-1: kept refresh token"),
])  # fmt: skip
async def test_what_is_kept_of_a_sign_in_is_in_no_log_no_row_no_page_and_no_key_of_redis(
    corp: Corp, canary: Canaries, sinks: Sinks, redis_server: RedisServer, what: str
) -> None:
    ann = await corp.ann()
    browser = await corp.people.browser()
    await corp.sign_in(browser, "ann")
    pool, seals = corp.people.pool, corp.deps.seals
    asker = Asker(corp.deps.egress, corp.deps.safeguards.addresses)
    refreshes = Refreshes(pool, asker, KeySets(pool, asker, corp.deps.signer), seals)
    kept = KeptTokens(pool, seals, refreshes, "https://archway.test")

    before = await kept.living(ann, corp.provider.id, within=30.0)
    assert isinstance(before, ProviderTokens)
    canary.watch(what, getattr(before, what))
    await corp.people.rows("update identities set checked_at = checked_at - interval '5 hours'")
    await Presence(pool, refreshes).ask_about_due()
    after = await kept.living(ann, corp.provider.id, within=30.0)
    assert isinstance(after, ProviderTokens)
    assert (after.access_token != before.access_token, after.id_token_is_older) == (True, False)
    canary.watch(f"next {what}", getattr(after, what))

    for path in ("/my/access", f"/people/{ann}", "/sign-ins"):
        sinks.feed(path, (await browser.get(path)).text)
    await corp.idp.person("ann", None)
    await corp.people.rows(
        "update identities set checked_at = checked_at - interval '5 hours', check_tried_at = null"
    )
    await Presence(pool, refreshes).ask_about_due()
    refused = await kept.living(ann, corp.provider.id, within=30.0)
    assert not isinstance(refused, ProviderTokens)
    sinks.feed("the refusal", refused.sentence)
    sinks.feed("the database", await the_database(corp))
    sinks.feed("redis", everything_in(redis_server))
    await refreshes.close()
