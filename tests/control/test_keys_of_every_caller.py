"""Keys of a provider that rotate, are away, or lie at another host: the same for each kind of caller by its tokens.

How it is at the other door, where assertions are brought, is in `tests/oauth/test_assertion_keys.py`.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from control.store.pool import transaction
from tests.control.corp_callers import Corp
from tests.control.test_callers_without_account import JOB, ZOE, partners
from tests.control.test_ci_jobs import bound

CLAIMS: dict[str, dict[str, Any]] = {"user": {}, "service": JOB, "external": {**ZOE, "groups": ["partners"]}}
"""By the kind of caller: what their tokens say."""


@pytest.fixture(params=list(CLAIMS))
async def kind(request: pytest.FixtureRequest, corp_callers: Corp) -> str:
    """Each kind of caller, all of whom the provider may vouch for."""
    await partners(corp_callers)
    await bound(corp_callers, {"repository": "acme/*"})
    return str(request.param)


async def kind_of(corp: Corp, kind: str, **claims: Any) -> str:
    """As what a caller of this kind is let in now; '' for nobody."""
    verdict = await corp.says(**CLAIMS[kind], **claims)
    return verdict.principal.kind if verdict.principal is not None else ""


async def as_after(corp: Corp, ago: str) -> None:
    """As if the provider had been asked the last time so long ago."""
    async with transaction(corp.pool) as connection:
        await connection.execute(
            """update identity_provider_states set tried_at = tried_at - $1::text::interval,
                   fetched_at = fetched_at - $1::text::interval""",
            ago,
        )


async def test_a_key_that_is_new_is_found_at_the_first_token_that_it_signed(corp_callers: Corp, kind: str) -> None:
    assert await kind_of(corp_callers, kind) == kind
    await corp_callers.idp.rotate()
    await as_after(corp_callers, "2 minutes")
    assert await kind_of(corp_callers, kind) == kind


async def test_an_outage_of_an_hour_takes_nobodys_access_and_one_of_days_does(corp_callers: Corp, kind: str) -> None:
    later = int(time.time()) + 7_200
    assert await kind_of(corp_callers, kind, exp=later) == kind
    await corp_callers.idp.outage(on=True)
    await as_after(corp_callers, "1 hour")
    assert await kind_of(corp_callers, kind, exp=later) == kind
    await as_after(corp_callers, "8 days")
    assert await kind_of(corp_callers, kind, exp=later) == ""


async def test_keys_at_another_host_prove_nothing_before_somebody_approved_the_host(
    corp_callers: Corp, kind: str
) -> None:
    host = await corp_callers.idp.foreign_keys()
    assert await kind_of(corp_callers, kind) == ""
    await corp_callers.change(approved_hosts=(host,))
    await as_after(corp_callers, "2 minutes")
    assert await kind_of(corp_callers, kind) == kind
