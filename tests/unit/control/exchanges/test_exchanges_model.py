"""Whatever happens in whatever order, a caller has a token of their own that lives, and no provider is flooded."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from control.credentials.for_caller import ForCaller
from control.exchanges.exchanges import MARGIN_S, REFUSED_S, Exchanges
from control.exchanges.one_exchange import Wanted
from control.exchanges.subject import Whose
from control.registry.credential import TokenExchange
from core.resolve import InstallationRefusal
from tests.fakes.providers import a_provider
from tests.fakes.registry import an_entry

LIFE_S = 300.0
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from("ab"), st.integers(1, 3)),
        st.tuples(st.just("refused"), st.sampled_from("ab")),
        st.tuples(st.just("wait"), st.sampled_from([1, 9, 31, 120, 300])),
        st.tuples(st.just("says"), st.sampled_from(["token", "away", "no"])),
    ),
    max_size=30,
)


class Provider:
    """Gives tokens that name whose they are, or what the test says, and counts how often it is asked at once."""

    def __init__(self) -> None:
        self.now, self.says, self.asked, self.busy = 1_000_000.0, "token", 0, 0

    def clock(self) -> float:
        """Each look is a little later, so that no two tokens are of one moment."""
        self.now += 0.001
        return self.now

    async def of(self, wanted: Wanted) -> ForCaller | InstallationRefusal:
        self.asked += 1
        self.busy += 1
        await asyncio.sleep(0)
        self.busy -= 1
        if self.says == "token":
            return ForCaller(f"{wanted.whose.key} {self.asked}", self.now + LIFE_S, self.clock())
        return InstallationRefusal("provider_away" if self.says == "away" else "not_allowed", self.says)


async def _walked(steps: list[tuple[Any, ...]]) -> None:
    provider: Any = Provider()
    exchanges = Exchanges(None, provider, clock=provider.clock, luck=lambda: 0.0)  # type: ignore[arg-type]
    had: dict[str, ForCaller] = {}
    said_at: dict[str, float] = {}

    async def ask(who: str, newer_than: float = 0.0) -> ForCaller | InstallationRefusal:
        credential, whose = TokenExchange("p1", audience="crm"), Whose(who, key=who)
        wanted = Wanted(an_entry(), credential, a_provider(), whose, "")
        before, asked = had.get(who), provider.asked
        found = await exchanges._had(wanted, newer_than, float("inf"))
        if isinstance(found, ForCaller):
            assert found.token.split()[0] == who
            assert found.expires_at - MARGIN_S > provider.now - 0.1
            if found.obtained_at <= newer_than:  # its server refused the one before too, a moment ago
                assert before is not None
                assert provider.now - found.obtained_at < 31
            had[who] = found
        elif provider.asked > asked:
            said_at[who] = provider.now
        else:
            assert provider.now - said_at[who] < REFUSED_S + 1, "it is refused by heart for too long"
        return found

    for step in steps:
        asked = provider.asked
        match step:
            case ("ask", str(who), int(times)):
                found = await asyncio.gather(*(ask(who) for _ in range(times)))
                assert provider.asked - asked <= 1
                assert len({one.token if isinstance(one, ForCaller) else one.sentence for one in found}) == 1
            case ("refused", str(who)):
                before = had.get(who)
                found_one = await ask(who, before.obtained_at if before else 0.0)
                assert provider.asked - asked <= 1
                if before and isinstance(found_one, ForCaller) and provider.asked > asked:
                    assert found_one.obtained_at > before.obtained_at
            case ("wait", int(seconds)):
                provider.now += seconds
            case ("says", str(what)):
                provider.says = what
    await exchanges.close()


@settings(max_examples=60)
@given(STEPS)
def test_a_caller_gets_a_token_of_their_own_that_lives(steps: list[tuple[Any, ...]]) -> None:
    asyncio.run(_walked(steps))
