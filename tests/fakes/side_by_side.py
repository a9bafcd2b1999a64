"""Two workers to which the same is done at the same virtual time, and whose doings are compared after each step."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from core.tokens import digest
from tests.fakes.modelled_worker import ModelCall, ModelledWorker, Told
from tests.fakes.virtual_loop import VirtualLoop


class SideBySide:
    """What a model sets: the loop, the two workers, and what it knows of calls that are not answered yet."""

    loop: VirtualLoop
    workers: list[ModelledWorker]
    pending: dict[int, ModelCall]
    must_not_reach: set[int]
    """Calls of which no server may hear."""

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def do(self, act: Callable[[ModelledWorker], Any]) -> None:
        """The same to both, and whatever follows from it without time passing."""

        async def both() -> None:
            begun = [act(worker) for worker in self.workers]
            await asyncio.gather(*(one for one in begun if one is not None))

        self.run(both())
        self.settle()

    def settle(self) -> None:
        """Let everything happen that can, and compare."""
        self.loop.run_until_idle()
        planned, other = (worker.told() for worker in self.workers)
        if planned.size != other.size:  # a deadline strikes up to a twentieth of a second late
            self.run(asyncio.sleep(0.1))
            self.loop.run_until_idle()
            for told, worker in ((planned, self.workers[0]), (other, self.workers[1])):
                told.add(worker.told())
        self.compare(planned, other)
        for number in planned.answers:
            self.pending.pop(number, None)

    def compare(self, planned: Told, other: Told) -> None:
        """The sentences that this run is about; see the module."""
        assert planned.sent == other.sent
        assert planned.answers == other.answers
        assert planned.records == other.records
        assert planned.asked == other.asked
        assert planned.counts == other.counts
        for got in planned.sent:
            if got.message["method"] == "tools/call":
                who, credential = got.message["params"]["arguments"]["who"], got.header("authorization")
                assert credential.startswith((f"Bearer own-{who} v", "Bearer shared v")), (who, credential)
                call = self.pending.get(got.message["params"]["arguments"]["n"])
                made_of = credential.partition(" with ")[2]
                assert call is None or made_of in {"", digest(call.token)}, "made of another credential of theirs"
        for number, (status, _, body) in planned.answers.items():
            if number in self.pending and status == 200 and "result" in body and not body["result"].get("isError"):
                (content,) = body["result"]["content"]
                assert msgspec.json.decode(content["text"]) == self.pending[number].arguments
        assert self.must_not_reach.isdisjoint(self.workers[0].reached), "a revoked token had one more call"

    def passes(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))
        self.settle()
