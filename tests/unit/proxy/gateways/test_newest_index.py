from typing import Any

import pytest

from core.gateway_answers import IndexAnswer
from core.keys import new_key, parse_key_ring
from core.signing import Signer, Verifier
from core.snapshot import FORMAT, Index, sign_index
from proxy.caches.two_ages import SourceUnreachable
from proxy.gateways.newest_index import NewestIndex

SIGNER = Signer(parse_key_ring("signing", new_key()))


class Sources:
    """Control and Redis, each with an index of its own."""

    def __init__(self) -> None:
        self.down = False
        self.asked = 0
        self.kept: bytes = sign_index(Index(FORMAT, "epoch", 1, []), SIGNER)
        self.commands = self

    async def index(self) -> IndexAnswer:
        self.asked += 1
        if self.down:
            raise SourceUnreachable
        return IndexAnswer(sign_index(Index(FORMAT, "epoch", 2, []), SIGNER))

    def hget(self, _name: str, _field: str) -> bytes:
        return self.kept

    async def ask(self, answer: Any) -> Any:
        return answer


def newest(sources: Sources) -> NewestIndex:
    return NewestIndex(sources, sources, Verifier("keys", SIGNER.public_keys), soft_age=60.0)  # type: ignore[arg-type]  # their one question


async def test_control_is_asked_once_in_a_soft_age_and_redis_confirms_nothing() -> None:
    sources = Sources()
    index = newest(sources)
    assert [(await index.get("epoch", 0))[1] for _ in range(5)] == [True, False, False, False, False]
    assert sources.asked == 1


@pytest.mark.parametrize(("epoch", "at_least"), [("another", 0), ("epoch", 2)])
async def test_an_index_of_another_epoch_or_an_older_one_is_asked_of_control(epoch: str, at_least: int) -> None:
    sources = Sources()
    index = newest(sources)
    for _ in range(2):
        found, confirmed = await index.get(epoch, at_least)
        assert found is not None
        assert (found.revision, confirmed) == (2, True)


async def test_without_control_redis_has_the_index_and_a_broken_one_is_none() -> None:
    sources = Sources()
    sources.down = True
    index = newest(sources)
    before = index.confirmed
    found, confirmed = await index.get("epoch", 0)
    assert found is not None
    assert (found.revision, confirmed, index.confirmed) == (1, False, before)
    sources.kept = b"garbage"
    assert await index.get("epoch", 0) == (None, False)
    assert index.rejected == 1
