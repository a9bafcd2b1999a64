"""Which form of the modules a worker runs, as its log and its metrics say; the same calls go either way."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from core.compiled_form import DoesNotFit, root, what_is_here
from tests.fixtures_supervised import SupervisedProxy, supervised


def form_of_this_checkout() -> str:
    try:
        return "interpreted" if what_is_here(root()) is None else "compiled"
    except DoesNotFit:
        return "interpreted"


async def gauge(proxy: SupervisedProxy) -> str:
    port = orjson.loads(proxy.ports.read_bytes())["metrics"]
    async with proxy.http.get(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(line for line in lines if line.startswith("archway_compiled "))


@pytest.mark.parametrize("said", ["1", "0"], ids=["wanted", "switched off"])
async def test_a_worker_says_which_form_runs(tmp_path: Path, said: str) -> None:
    expected = form_of_this_checkout() if said == "1" else "interpreted"

    async with supervised(tmp_path, compiled=said) as proxy:
        await proxy.call()
        told = await gauge(proxy)

    assert [one["form"] for one in proxy.said("proxy worker serves")] == [expected]
    assert told == f"archway_compiled {int(expected == 'compiled')}"


async def test_a_worker_says_why_compiled_modules_are_not_used(tmp_path: Path) -> None:
    why = "the sources have changed since"  # as its lifeline leaves word

    async with supervised(tmp_path, compiled="0", not_compiled=why) as proxy:
        await proxy.call()

    assert [
        one["why"] for one in proxy.said("the compiled modules are not used; `make compiled` makes them again")
    ] == [why]
