"""A worker with plans beside one without, against whatever may change between their calls (rows A-10, P-2 and P-3).

A machine of hypothesis's changes tokens, bearers, gateways, tools, installations, credentials, servers and sessions,
takes control and Redis away, holds news and answers back and lets time pass; between that, callers of both eras call
servers of both eras. Both workers are asked and told the same at the same virtual time. Whatever happens,

- both callers get the same answer, both servers the same requests with the same headers, and both workers leave the
  same records, ask control the same questions and count the same;
- what reaches a server is the caller's own: its arguments, and its credential or one that is shared; where that is
  made of the credential that they came with, of this and of no other of theirs;
- once a worker has heard that a token is revoked, no call with it that begins reaches a server;
- at the end nothing is held.

Calls are a second apart while control does not answer: as often a plan that has grown old lets one through to ask it
again, which a worker without plans does at each call. `ARCHWAY_PLAN_MODEL` says how many runs there are.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from core.changes import Change, Kind
from core.resolve import CallerVerdict, InstallationRefusal, Principal, ResolvedInstallation
from core.snapshot import Rule, client_auth_of
from core.tokens import new_token
from proxy.resolve.refreshes import GATHERED_S
from tests.fakes.modelled_registry import (
    CALLERS,
    GONE,
    KEPT,
    LEGACY_URL,
    MODERN_URL,
    SEEN_BY,
    TOOLS,
    assigned,
    installation,
)
from tests.fakes.modelled_worker import CALL_S, HARD, SOFT, ModelCall, ModelCaller, ModelledWorker
from tests.fakes.side_by_side import SideBySide
from tests.fakes.silent_network import SilentServer, Truth
from tests.fakes.virtual_loop import VirtualLoop, VirtualTime

PAUSES = (0.5, 3.0, 29.0, SOFT / 2, SOFT + 1, 400.0, HARD + 1, 86_401.0)
LINES = ("X-Tenant: red\r\n", "X-Tenant: blue\r\nX-Lang: de\r\n", "X-Forwarded-For: 203.0.113.7\r\n")
HOW = ("json", "json", "stream", "stream and its end", "pieces", "tool error", "error", "status")
names, tools, lines = st.sampled_from(CALLERS), st.sampled_from(sorted(TOOLS)), st.sampled_from(LINES)
hows, seldom = st.sampled_from(HOW), st.sampled_from([True, False, False])
WAYS = (("token",), ("token", "oauth"), ("token",), ("oauth",))
KEPT_FIELDS = ("tools", "header_allowlist", "rules", "visibility", "client_auth", "client_auth_beside")
several = st.lists(st.integers(0, 8), min_size=2, max_size=6)
heard = st.sampled_from(["now", "now", "missed", "compared", "later"])
"""What becomes of the news of a change."""


class Used:
    """How many calls there were in all runs, and how many of them went by a plan."""

    def __init__(self) -> None:
        self.calls = self.by_plan = 0.0


class Plans(SideBySide, RuleBasedStateMachine):
    """The machine. `used` is set by the test."""

    used = Used()

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.patches = VirtualTime(), ExitStack()
        self.patches.enter_context(self.clock.everywhere())
        # Each of them draws for itself when it refreshes what it remembers: the same for both.
        self.patches.enter_context(patch("random.uniform", lambda low, high: (low + high) / 2))
        self.loop = VirtualLoop(self.clock)
        self.truth = Truth()
        self.callers = {name: ModelCaller(name, name, modern=name != "bob") for name in CALLERS}
        self.teams = {name: frozenset({"red"}) for name in ("ada", "bob", "dan")} | {"cyd": frozenset()}
        self.number = 0
        self.unpublished: list[Callable[[ModelledWorker], None]] = []
        self.redis_is_down = False
        self.compared, self.not_well = self.clock.now, 0.0
        self.pending: dict[int, ModelCall] = {}
        self.lately: list[tuple[str, str, str]] = []
        """Who called what of late: the same is called after a change."""
        self.revoked: set[str] = set()
        """Tokens that control refuses."""
        self.ends: dict[int, str] = {}
        """Which of them a change ended, by the change's number."""
        self.gone: set[str] = set()
        """Those of which both workers have heard so, or that have expired."""
        self.changes = 0
        self.must_not_reach: set[int] = set()
        """Calls that began with them."""
        self.tools = assigned(self.truth)
        self.gateway = self.truth.gateway("g", list(self.tools.values()), header_allowlist=["x-tenant"])
        self.callers["dan"] = ModelCaller("dan", "dan", modern=True)
        for name in self.callers:
            self._issue(name, None)
        self.workers = [self.run(self._new_worker(plans=plans)) for plans in (True, False)]
        for worker in self.workers:
            worker.published()
            self.run(worker.compare())

    async def _new_worker(self, *, plans: bool) -> ModelledWorker:
        servers = [SilentServer(MODERN_URL, modern=True), SilentServer(LEGACY_URL, modern=False)]
        return ModelledWorker(self.truth, servers, plans=plans)

    def pass_busily(self, seconds: float, url: str) -> None:
        """Time passes, and somebody else's calls keep the connections to this server open."""
        for _ in range(int(seconds / 3)):
            self.passes(2.7)
            self.call("dan", KEPT[url], LINES[0], "json")
        self.passes(seconds % 3)

    # what changes

    def announce(self, kind: Kind, name: str, revision: int = 0, *, hear: str = "now") -> None:
        """Control publishes what it holds and tells of a change, once Redis is there."""
        self.changes += 1
        change = Change(self.truth.epoch, self.changes, kind, name, revision)

        def publish(worker: ModelledWorker) -> None:
            worker.published()
            worker.untold.append(change)

        self.unpublished.append(publish)
        self._flush()
        if hear == "now":
            self.news_is_heard()
        elif hear == "missed":
            self.news_is_missed()
        elif hear == "compared":
            self.do(lambda worker: worker.compare())
        for name, tool, lines in self.lately[-2:] * 2:
            self.call(name, tool, lines, "json")

    def _flush(self) -> None:
        if not self.redis_is_down:
            for publish in self.unpublished:
                for worker in self.workers:
                    publish(worker)
            self.unpublished.clear()

    @rule()
    def news_is_heard(self) -> None:
        self.do(lambda worker: worker.hear())
        planned, other = (worker.heard for worker in self.workers)
        self.gone |= {token for number, token in self.ends.items() if number in planned and number in other}

    @rule()
    def news_is_missed(self) -> None:
        if not self.redis_is_down:
            self.do(lambda worker: worker.doubt())

    def _issue(self, name: str, life: float | None) -> None:
        caller = self.callers[name]
        caller.token = new_token()
        self._judge(name, None if life is None else self.clock.time() + life)

    def _judge(self, name: str, expires: float | None) -> None:
        digest = self.callers[name].digest
        principal = Principal("user", name, name, self.teams[name])
        self.truth.verdicts[digest] = CallerVerdict(digest, principal, f"token of {name}", expires)
        token = self.callers[name].token
        self.revoked.discard(token)
        self.gone.discard(token)
        self.ends = {number: one for number, one in self.ends.items() if one != token}

    def _revoke(self, name: str) -> None:
        self.truth.verdicts.pop(self.callers[name].digest, None)
        self.revoked.add(self.callers[name].token)
        self.ends[self.changes + 1] = self.callers[name].token  # the change that is announced next

    @rule(name=names, hear=heard)
    def a_token_is_revoked(self, name: str, hear: str) -> None:
        self._revoke(name)
        self.announce("token", self.callers[name].digest, hear=hear)

    @rule(name=names, life=st.sampled_from([None, None, 4.5, 40.5]))
    def a_token_is_issued(self, name: str, life: float | None) -> None:
        self._issue(name, life)
        self.announce("token", self.callers[name].digest)

    @rule(name=names, hear=heard, enabled=st.booleans())
    def a_user_is_disabled_or_enabled(self, name: str, hear: str, enabled: bool) -> None:
        if enabled:
            self._judge(name, None)
        else:
            self._revoke(name)
        self.announce("user", name, hear=hear)

    @rule(name=names, hear=heard, team=st.sampled_from(["red", "blue", ""]))
    def a_role_is_changed(self, name: str, hear: str, team: str) -> None:
        self.teams[name] = frozenset({team} - {""})
        if self.callers[name].token not in self.revoked:
            self._judge(name, None)
        self.announce("user", name, hear=hear)

    @rule(team=st.sampled_from(["red", "blue"]))
    def a_team_is_changed(self, team: str) -> None:
        self.announce("team", team)

    def _revise(self, hear: str, **fields: Any) -> None:
        held = self.gateway
        self.gateway = self.truth.gateway("g", **({name: getattr(held, name) for name in KEPT_FIELDS} | fields))
        self.announce("gateway", held.id, self.gateway.revision, hear=hear)

    @rule(hear=heard, allowed=st.sampled_from([(), ("x-tenant",), ("x-lang", "x-tenant")]))
    def the_header_list_is_changed(self, hear: str, allowed: tuple[str, ...]) -> None:
        self._revise(hear, header_allowlist=list(allowed))

    @rule(hear=heard, tool=tools, quarantined=st.booleans())
    def a_tool_is_quarantined_or_released(self, hear: str, tool: str, quarantined: bool) -> None:
        self._revise(hear, rules=[Rule("refuse", "quarantined", [tool])] if quarantined else [])

    @rule(hear=heard, seen_by=st.sampled_from(sorted(SEEN_BY)))
    def a_gateway_is_shown_to_others(self, hear: str, seen_by: str) -> None:
        self._revise(hear, visibility=SEEN_BY[seen_by])

    @rule(hear=heard, ways=st.sampled_from(WAYS))
    def a_gateway_accepts_other_ways_of_authenticating(self, hear: str, ways: tuple[str, ...]) -> None:
        accepted, beside = client_auth_of(ways)
        self._revise(hear, client_auth=accepted, client_auth_beside=beside)

    @rule(hear=heard, tool=tools, there=st.booleans())
    def a_tool_goes_or_comes(self, hear: str, tool: str, there: bool) -> None:
        self._revise(hear, tools=[one for name, one in self.tools.items() if there or name != tool])

    @rule(hear=heard)
    def a_gateway_is_deleted_and_made_again(self, hear: str) -> None:
        held = self.gateway
        del self.truth.gateways[held.id]
        self.announce("gateway", held.id, -1, hear=hear)
        self.gateway = self.truth.gateway("g", held.tools, header_allowlist=held.header_allowlist)
        self.announce("gateway", self.gateway.id, self.gateway.revision, hear=hear)

    @rule(tool=tools, name=names, hear=heard, what=st.sampled_from(["renewed", "deleted", "edited", "lent"]))
    def an_installation_is_changed(self, tool: str, name: str, hear: str, what: str) -> None:
        url, own = TOOLS[tool]
        key = self.tools[tool].assignment_id
        held = self.truth.own[key, name] if own else self.truth.installations[key]
        owner = f"own-{name}" if own else "shared"
        version = getattr(held, "version", self.number) + 1
        more: dict[str, Any] = {}
        if what == "edited":
            more = {"fixed_headers": [("X-Edition", str(version))], "deadline_s": 10.3}
        elif what == "lent":
            more = {"isolation": "client_session" if own else "shared"}
        made: ResolvedInstallation | InstallationRefusal = installation(tool, url, owner, version, **more)
        made = GONE if what == "deleted" else made
        if own:
            self.truth.own[key, name] = made
        else:
            self.truth.installations[key] = made
        kind: Kind = "entry" if what == "lent" else "installation"
        self.announce(kind, f"entry-{tool}" if what == "lent" else f"{tool}-{owner}", hear=hear)

    @rule(url=st.sampled_from([MODERN_URL, LEGACY_URL]), modern=st.booleans())
    def a_server_is_replaced(self, url: str, modern: bool) -> None:
        for worker in self.workers:
            server = worker.servers[url]
            server.modern, server.sessions = modern, []

    @rule()
    def a_server_loses_its_sessions(self) -> None:
        for worker in self.workers:
            worker.servers[LEGACY_URL].sessions.clear()

    @rule(down=seldom)
    def control_goes_or_comes(self, down: bool) -> None:
        self.truth.down = down

    @rule()
    def control_hangs(self) -> None:
        if self.truth.held is None:
            self.truth.held = asyncio.Event()

    @rule()
    def control_answers_again(self) -> None:
        if self.truth.held is not None:
            self.truth.held.set()
            self.truth.held = None
            self.settle()

    @rule(down=seldom)
    def redis_goes_or_comes(self, down: bool) -> None:
        self.redis_is_down = down
        for worker in self.workers:
            worker.redis.away = down
        self._flush()

    @rule(seconds=st.sampled_from(PAUSES), busy=st.sampled_from([None, *KEPT]))
    def time_passes(self, seconds: float, busy: str | None) -> None:
        """News takes less than a second, and an index a soft age, where Redis or control is there."""
        self.news_is_heard()
        if busy and seconds < 2 * SOFT:
            self.pass_busily(seconds, busy)
        self.passes(seconds if not busy else 0.5)
        self.control_answers_again()
        if self.clock.now - self.compared >= SOFT:
            self.compared = self.clock.now
            self.do(lambda worker: worker.compare())

    # who calls

    def next(self) -> int:
        """The number of the next call, and its time: see the module."""
        well = (
            not self.truth.down and self.truth.held is None and not any(one.control_is_late for one in self.workers)
        )
        soon = well and self.clock.now - self.not_well >= 0.7
        self.passes(0.3 if soon else 1.1)
        if not well:
            self.not_well = self.clock.now
        self.number += 1
        return self.number

    def call(self, name: str, tool: str, lines: str, how: str) -> ModelCall:
        """One call, which may be answered now or later."""
        call = self.prepared(self.next(), name, tool, lines, how)
        self.do(lambda worker: worker.begin(call))
        return call

    def prepared(self, number: int, name: str, tool: str, lines: str, how: str) -> ModelCall:
        call = ModelCall(number, self.callers[name], self.callers[name].token, tool, lines, how)
        self.pending[call.number] = call
        self.used.calls += 1
        if call.token in self.gone:
            self.must_not_reach.add(call.number)
        return call

    @initialize(tools=st.lists(tools, min_size=3, max_size=3), lines=lines)
    def everybody_calls(self, tools: list[str], lines: str) -> None:
        self.a_session_begins_or_ends(begins=True)
        for name, tool in zip(CALLERS, tools, strict=True):
            self.somebody_calls(name, tool, lines, "json", 3)

    @rule(name=names, tool=tools, lines=lines, how=hows, times=st.sampled_from([1, 3, 4]))
    def somebody_calls(self, name: str, tool: str, lines: str, how: str, times: int) -> None:
        for _ in range(times):
            self.call(name, tool, lines, how)
        others = [one for one in self.lately if one != (name, tool, lines)]
        self.lately = [*others[-3:], (name, tool, lines)]

    @rule(name=names, tool=tools, lines=lines, how=hows)
    def all_is_well_and_somebody_calls(self, name: str, tool: str, lines: str, how: str) -> None:
        """Or chance would soon leave nobody who may call anything."""
        self.control_goes_or_comes(down=False)
        self.control_answers_again()
        self.redis_goes_or_comes(down=False)
        self.a_session_begins_or_ends(begins=True)
        for one in CALLERS:
            if self.callers[one].token in self.revoked:
                self._issue(one, None)
        self._revise(
            "now",
            tools=[*self.tools.values()],
            rules=[],
            visibility=SEEN_BY["all"],
            client_auth=["token"],
            client_auth_beside=[],
        )
        self.somebody_calls(name, tool, lines, how, 4)

    @rule(name=names, tool=tools, lines=lines, life=st.sampled_from([2.5, 20.5, 45.5]))
    def a_token_expires_between_calls(self, name: str, tool: str, lines: str, life: float) -> None:
        """Chance finds it too rarely: a life that ends while the verdict is young."""
        self._issue(name, life)
        self.announce("token", self.callers[name].digest)
        self.somebody_calls(name, tool, lines, "json", 3)
        self.passes(life)
        self.revoked.add(self.callers[name].token)
        self.gone.add(self.callers[name].token)
        self.somebody_calls(name, tool, lines, "json", 2)

    @rule(
        name=names,
        tool=tools,
        lines=lines,
        how=st.sampled_from(["late json", "late stream", "late stream and its end"]),
    )
    def somebody_calls_and_is_answered_late(self, name: str, tool: str, lines: str, how: str) -> None:
        self.call(name, tool, lines, how)

    @rule(data=st.data(), turns=several)
    def several_call_at_once(self, data: st.DataObject, turns: list[int]) -> None:
        if self.lately:
            self.at_once([data.draw(st.sampled_from(self.lately)) for _ in turns], turns)

    def at_once(self, calls: list[tuple[str, str, str]], turns: list[int]) -> None:
        """So many turns of the loop lie between calls, from when what a first one asks for is on its way."""
        self.number = self.next() - 1
        for place, (one, turn) in enumerate(zip(calls, turns, strict=True)):
            self.number += 1
            call = self.prepared(self.number, *one, "json")

            async def begin(call: ModelCall = call, turn: int = turn, first: bool = not place) -> None:
                for worker in self.workers:
                    worker.begin(call)
                await asyncio.sleep(GATHERED_S if first else 0)
                for _ in range(turn):
                    await asyncio.sleep(0)

            self.run(begin())
        self.settle()

    @rule()
    def servers_answer(self) -> None:
        def answer(worker: ModelledWorker) -> None:
            waiting, worker.waiting = worker.waiting, []
            for far, pieces in waiting:
                far.says(pieces)

        self.do(answer)

    @precondition(lambda self: self.pending)
    @rule(data=st.data())
    def a_caller_leaves(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from([*self.pending.values()]))
        del self.pending[call.number]
        self.do(lambda worker: worker.leave(call.number))

    @precondition(lambda self: self.pending)
    @rule(data=st.data())
    def a_caller_cancels(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from([*self.pending.values()]))
        if not call.caller.modern:
            number = self.next()
            self.do(lambda worker: worker.cancel(number, call))

    @rule(begins=st.booleans())
    def a_session_begins_or_ends(self, begins: bool) -> None:
        number, caller = self.next(), self.callers["bob"]
        if begins:
            self.do(lambda worker: worker.open_session(number, caller))
        else:
            self.do(lambda worker: worker.end_session(number, caller))

    @rule(name=names, tool=tools, lines=lines, revoked=st.booleans(), turns=several)
    def a_refresh_finds_what_nobody_heard_of(
        self, name: str, tool: str, lines: str, revoked: bool, turns: list[int]
    ) -> None:
        self.all_is_well_and_somebody_calls(name, tool, lines, "json")
        if revoked:
            self.a_token_is_revoked(name, "later")
        else:
            self.an_installation_is_changed(tool, name, "later", "renewed")
        self.pass_busily(SOFT * 0.56, TOOLS[tool][0])
        self.at_once([(name, tool, lines)] * len(turns), turns)
        self.somebody_calls(name, tool, lines, "json", 3)

    @rule(hear=heard, tool=tools)
    def a_session_ends_at_another_worker(self, hear: str, tool: str) -> None:
        self.a_session_begins_or_ends(begins=True)
        self.somebody_calls("bob", tool, LINES[0], "json", 3)
        self.do(lambda worker: worker.ended_elsewhere(self.callers["bob"], self.gateway.id, is_told=hear == "now"))
        if hear == "missed":
            self.news_is_missed()
        self.somebody_calls("bob", tool, LINES[0], "json", 2)

    def teardown(self) -> None:
        try:
            self.control_answers_again()
            self.servers_answer()
            for _ in range(3):
                self.passes(CALL_S)
            assert [worker.holds_nothing for worker in self.workers] == [True, True]
            self.used.by_plan += self.workers[0].by_plan
            event("some calls went by a plan" if self.workers[0].by_plan else "no call went by a plan")
        finally:
            for worker in self.workers:
                self.run(worker.close())
            self.loop.close()
            self.patches.close()


def test_no_plan_decides_otherwise_than_the_stages_whatever_changes() -> None:
    class Machine(Plans):
        used = Used()

    runs = int(os.environ.get("ARCHWAY_PLAN_MODEL", "25"))
    quick = settings(
        max_examples=runs, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(Machine, settings=quick)
    assert Machine.used.by_plan > Machine.used.calls / 20, "hardly a call had a plan: mostly a fifth has"
