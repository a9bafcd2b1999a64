import asyncio

import msgspec
import pytest

from core import redis_names
from core.keys import new_key, parse_key_ring
from core.sealing import Sealer
from core.tasks import Tasks
from proxy.redis import Redis
from proxy.sessions import mailbox
from proxy.sessions.mailbox import Letter, Mailbox
from tests.fixtures_redis import RedisServer, _session_redis, redis_server  # noqa: F401

RING = parse_key_ring("proxy", new_key())
LETTERS = [Letter("cancel", "s", 1), Letter("cancel", "s", "1"), Letter("cancel", "s", 2**63), Letter("ended", "s")]


async def test_a_letter_reaches_every_worker_and_the_sender_too(redis_server: RedisServer) -> None:  # noqa: F811
    tasks, clients = Tasks("test"), [Redis(redis_server.url) for _ in range(2)]
    got: list[list[Letter]] = [[], []]
    boxes = [Mailbox(redis, RING, one.append) for redis, one in zip(clients, got, strict=True)]
    opened = []
    for box in boxes:
        box.reconnected = lambda: opened.append(1)
        _ = tasks.spawn("mailbox", box.read())
    async with asyncio.timeout(30):
        while len(opened) < 2 or await clients[0].commands.publish(redis_names.MAILBOX, b"not ours") < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await clients[0].commands.publish(redis_names.MAILBOX, forged(Letter("ended", "everybody")))
        for letter in LETTERS:
            assert await boxes[0].post(letter)
        while got != [LETTERS, LETTERS]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await tasks.close()
    for one in clients:
        await one.close()


def forged(letter: Letter) -> bytes:
    """Sealed with another deployment's key."""
    return Sealer(parse_key_ring("other", new_key()), "mailbox").seal(msgspec.msgpack.encode(letter))


async def test_a_letter_that_cannot_be_sent_is_told() -> None:
    away = Redis("redis://127.0.0.1:1/0")
    assert await Mailbox(away, RING, lambda _: None).post(LETTERS[0]) is False
    await away.close()


@pytest.mark.parametrize("sealed", [b"", b"x" * 100])
def test_what_is_not_ours_is_not_delivered(sealed: bytes) -> None:
    def deliver(_: Letter) -> None:
        raise AssertionError

    Mailbox(None, RING, deliver)._open(sealed)  # type: ignore[arg-type]  # nothing is sent


async def test_a_letter_whose_delivery_fails_does_not_close_the_mailbox(
    redis_server: RedisServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mailbox, "_RETRY_S", 0.01)
    tasks, redis, got, opened = Tasks("test"), Redis(redis_server.url), list[Letter](), list[int]()

    def deliver(letter: Letter) -> None:
        if not got:
            got.append(letter)
            raise ZeroDivisionError
        got.append(letter)

    box = Mailbox(redis, RING, deliver)
    box.reconnected = lambda: opened.append(1)
    reading = tasks.spawn("mailbox", box.read())
    async with asyncio.timeout(30):
        while len(got) < 2:
            await box.post(LETTERS[0])
            await asyncio.sleep(0.01)
    assert len(opened) > 1, "letters may have been missed meanwhile, and were told to be"
    assert not reading.done()
    await tasks.close()
    await redis.close()
