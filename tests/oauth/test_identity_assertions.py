"""Identity assertions (ID-JAG) at the token endpoint: what gets a client in, and all that does not.

The claims one by one are in `test_assertion_rows.py`.
"""

from __future__ import annotations

import asyncio

from tests.fixtures_people import ISSUER
from tests.oauth.asserting import SALES, AssertingCorp


async def test_an_assertion_gets_an_access_token_for_one_gateway_and_no_refresh_token(corp: AssertingCorp) -> None:
    answer = await corp.exchange()

    assert answer.status == 200, answer.body
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "scope"}
    assert answer.headers["Cache-Control"] == "no-store"
    claims = await corp.token()
    assert (claims["iss"], claims["sub"], claims["aud"]) == (ISSUER, f"user:{corp.ann}", SALES)
    assert (claims["client_id"], claims["scope"]) == (corp.client.client_id, "mcp")


async def test_one_assertion_brought_by_many_at_once_counts_once(corp: AssertingCorp) -> None:
    assertion = corp.assertion()
    answers = await asyncio.gather(*(corp.exchange(assertion) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400, 400]
    assert len(await corp.grants()) == 1
