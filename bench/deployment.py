"""The product under load: `archway up` with everything on, and in it what the rows need, made through the admin API.

The proxy of `archway up` itself only answers discovery. Those that are measured are further ones of the same
deployment (`bench/sides.py`), so that all lanes see the same gateways, callers and records.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from archway.admin_client import AdminApi, Problem
from bench.cpu import step_back, with_children
from bench.orders import Target
from bench.plan import Plan
from bench.processes import environment_of

_T = TypeVar("_T")
_AT_ONCE = 8
"""Requests to the admin API."""
_BUSY_FOR_S = 60.0
"""How long the admin API may say that it is busy: a machine that has just started it has much to do."""
COMMAND = str(Path(sys.executable).with_name("archway"))


class Deployment:
    """A deployment that runs. What a row asks for is made when it is first asked for."""

    def __init__(self, plan: Plan, state: Path, up: dict[str, Any], stub_port: int, slow_port: int) -> None:
        self.plan, self.state, self._up = plan, state, up
        self.stub_port, self._slow_port = stub_port, slow_port
        self.api = AdminApi(up["control_url"], up["admin_token"])
        self.proxy_environment = environment_of(up["pids"]["proxy"][0])
        self.made_s: dict[str, float] = {}
        """How long it took to make things, for the report."""

    @property
    def behind(self) -> dict[str, list[int]]:
        """Processes of control, PostgreSQL and Redis: what a proxy's records and cold questions cost elsewhere."""
        pids = self._up["pids"]
        first = {"control": pids["control"], "postgres": [pids["postgres"]], "redis": [pids["redis"]]}
        return {who: [pid for one in ones if one for pid in with_children(one)] for who, ones in first.items()}

    @cached_property
    def tokens(self) -> list[str]:
        """Callers, each a person of their own."""

        def made(number: int) -> str:
            body = {"name": f"Caller {number}", "email": f"c{number}@bench.invalid", "role": "member"}
            person = self._post("/users", body)
            return str(self._post("/tokens", {"name": "bench", "kind": "user", "user_id": person["id"]})["secret"])

        return self._all("callers", made, range(self.plan.callers))

    @cached_property
    def plain(self) -> Target:
        """A gateway with one tool."""
        return self._gateway("one", self._entry("one", self.stub_port, 1))

    @cached_property
    def many_tools(self) -> Target:
        """A gateway with many tools; the one in the middle is called."""
        path = self._gateway("many", self._many).path
        return Target(path, _tool("many", self.plan.many_tools // 2))

    @cached_property
    def searched(self) -> Target:
        """A gateway whose many tools are looked for; `search_tools` is called."""
        path = self._gateway("searched", self._many, {"tool_loading": "search_and_run"}).path
        return Target(path, "search_tools")

    @cached_property
    def _many(self) -> tuple[str, str]:
        return self._entry("many", self.stub_port, self.plan.many_tools)

    @cached_property
    def loaded(self) -> list[Target]:
        """Many gateways of many tools; in each another tool is called."""
        tools = self.plan.gateway_tools
        entry = self._entry("fifty", self.stub_port, tools)

        def made(number: int) -> Target:
            path = self._gateway(f"g{number}", entry).path
            return Target(path, _tool("fifty", number % tools))

        return self._all("gateways", made, range(self.plan.gateways))

    @cached_property
    def slow(self) -> Target:
        """A gateway whose server is another process, to be asked for slow answers."""
        return self._gateway("slow", self._entry("slow", self._slow_port, 1))

    def gateway_of_ways(self, slug: str, naming: dict[str, Any]) -> Target:
        """A gateway with one tool that takes other tokens beside ours, as these fields of it say."""
        return self._gateway(slug, self._entry(slug, self.stub_port, 1), naming)

    def gateway_id(self, target: Target) -> str:
        """The identifier of the gateway that calls of this target go to."""
        slug = target.path.rpartition("/")[2]
        return str(next(one for one in self.api.pages("/gateways") if one["slug"] == slug)["id"])

    def _entry(self, slug: str, port: int, tools: int) -> tuple[str, str]:
        """Ids of an entry with a static credential and of the organisation's installation."""
        entry = self._post(
            "/entries",
            {
                "slug": slug,
                "name": slug,
                "url": f"http://127.0.0.1:{port}/mcp/{tools}",
                "credential_model": "static",
                "credential_placement": {"style": "bearer"},
            },
        )
        body = {"entry_id": entry["id"], "scope": "organisation", "credential": "upstream-secret"}
        installation = self._post("/installations", body)
        if installation["state"] != "ready":
            raise RuntimeError(f"the stub server was not discovered: {installation['state_reason']}")
        return entry["id"], installation["id"]

    def _gateway(self, slug: str, installed: tuple[str, str], more: dict[str, Any] | None = None) -> Target:
        """Everything on: visibility, credential, allowlist, record."""
        body = {"slug": slug, "name": slug, "header_allowlist": ["x-tenant"], **(more or {})}
        gateway = self._post("/gateways", body)
        assign = {"entry": installed[0], "installation": installed[1], "tools": ["*"]}
        self._post(f"/gateways/{gateway['id']}/assignments", assign)
        return Target(f"/v1/mcp/{slug}", _tool(slug, 0))

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        """What the admin API makes; asked again while it says that it is busy. Raises Problem."""
        deadline = time.monotonic() + _BUSY_FOR_S
        while True:
            try:
                return self.api.post(path, body)
            except Problem as problem:
                if problem.status != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def _all(self, what: str, make: Callable[[int], _T], numbers: Sequence[int]) -> list[_T]:
        began = time.monotonic()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            made = list(pool.map(make, numbers))
        self.made_s[what] = time.monotonic() - began
        print(f"  made {len(made)} {what} in {self.made_s[what]:.1f} s", flush=True)
        return made


def _tool(entry: str, number: int) -> str:
    return f"{entry}__echo_{number}" if number else f"{entry}__echo"


@contextmanager
def deployment(
    plan: Plan, state: Path, stub_port: int, slow_port: int, *, gives_way: bool = True
) -> Iterator[Deployment]:
    """`archway up` in its own folder, ended with the block. Control and database give way to what is measured, unless
    it is they."""
    where = ["--state", str(state)]
    ports = ["--proxy-port", "0", "--control-port", "0", "--workers", "1", "--no-demo", "--detach"]
    began = time.monotonic()
    subprocess.run([COMMAND, "up", *where, *ports], check=True, stdout=subprocess.DEVNULL, timeout=120)
    try:
        up = json.loads((state / "up.json").read_text())
        running = Deployment(plan, state, up, stub_port, slow_port)
        running.made_s["deployment"] = time.monotonic() - began
        if gives_way:
            step_back([*up["pids"]["control"], *with_children(up["pids"]["postgres"])])
        yield running
    finally:
        subprocess.run([COMMAND, "down", *where], check=False, stdout=subprocess.DEVNULL, timeout=60)
