"""A proxy as control's internal listener sees one: questions over HTTP, minted and opened as a proxy does."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from control.accounts.renewals import Renewals
from control.credentials.statement import CallerStatements
from control.credentials.usable import Usable
from control.discovery.news import NewsOfLists
from control.exchanges.exchanges import Exchanges
from control.exchanges.one_exchange import OneExchange
from control.identity.callers import ProviderCallers
from control.identity.kept_tokens import KeptTokens
from control.identity.key_sets import KeySets
from control.identity.refreshes import Refreshes
from control.internal.listener import PLACES, InternalListener
from control.internal.questions import Questions
from control.internal.signed_callers import SignedCallers
from control.internal.starting import StartingServers
from control.internal.told_steps import StepsAtProxies
from control.internal.watches import Watches
from control.providers.asking import Asker
from control.publish.epochs import ChangeStream
from control.records.sign_in_notes import SignInNotes
from control.redis import Redis
from control.registry.row_seals import RowSeals
from control.store.pool import Pool, close_pool, open_pool
from core.caller_statements import StatementSigner
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.internal_call import PLAIN, SEALED, InternalCalls
from core.keys import new_key, parse_key_ring
from core.resolve import InstallationAnswer, InstallationQuestion
from core.signing import Signer, Verifier
from core.tasks import Tasks
from tests.fakes.discovered import Discovered
from tests.fixtures_redis import RedisServer

SECRETS = parse_key_ring("ARCHWAY_SECRET_KEY", new_key())
RING = parse_key_ring("ARCHWAY_PROXY_KEY", new_key())
SIGNER = Signer(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()))
STATEMENTS = StatementSigner(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()), "https://archway.test")
VERIFIER = Verifier("ARCHWAY_VERIFY_KEYS", SIGNER.public_keys)
LOOPBACK = AddressPolicy(parse_networks("127.0.0.0/8"))
"""Where the identity providers of tests are."""
PAGES_URL = "https://archway.test"
CALLS = InternalCalls(RING, caller="proxy", answerer="control")


@dataclass
class AskingProxy:
    """A proxy that asks control."""

    url: str
    session: aiohttp.ClientSession
    discovered: Discovered
    """What control discovered again, because this proxy told it of news."""
    starting: StartingServers
    """Of that control: who waits there for a server."""

    async def ask(self, path: str, question: object, kind: type[Any], *, sealed: bool = False) -> Any:
        body = b"" if question is None else msgspec.msgpack.encode(question)
        if sealed:
            body = CALLS.seal_question(path, body)
        authorization, call_id = CALLS.mint("POST", path, body)
        status, answer = await self.post(path, body, authorization, content_type=SEALED if sealed else PLAIN)
        assert status == 200
        return msgspec.msgpack.decode(CALLS.open_answer(call_id, answer), type=kind)

    async def ask_again(self, path: str, question: object, kind: type[Any], tries: int = 50) -> Any:
        """The same where control may have no time on a busy machine: asked again while it says so, as proxies do."""
        body = msgspec.msgpack.encode(question)
        for _ in range(tries):
            authorization, call_id = CALLS.mint("POST", path, body)
            status, answer = await self.post(path, body, authorization)
            if status != 503:
                assert status == 200
                return msgspec.msgpack.decode(CALLS.open_answer(call_id, answer), type=kind)
        raise AssertionError("control has no time")

    async def post(
        self,
        path: str,
        body: bytes,
        authorization: str | None,
        method: str = "POST",
        content_type: str = PLAIN,
    ) -> tuple[int, bytes]:
        headers = {"Content-Type": content_type}
        if authorization:
            headers["Authorization"] = authorization
        async with self.session.request(method, self.url + path, data=body, headers=headers) as response:
            return response.status, await response.read()

    async def installation(self, digest: str, gateway_id: str, assignment_id: str) -> InstallationAnswer:
        question = InstallationQuestion(digest, gateway_id, assignment_id)
        answer: InstallationAnswer = await self.ask("/internal/connection", question, InstallationAnswer)
        return answer


@pytest.fixture
async def proxy(database: str, pool: Pool, redis_server: RedisServer) -> AsyncIterator[AskingProxy]:
    tasks, redis = Tasks("test"), Redis(redis_server.url, deadline_s=0.15)
    questions_pool = await open_pool(database, largest=sum(PLACES.values()), plans_once=True)
    egress = Egress(LOOPBACK)
    key_sets = KeySets(pool, Asker(egress, LOOPBACK), SIGNER)
    signed = SignedCallers((ProviderCallers(questions_pool, key_sets),))
    steps = StepsAtProxies(questions_pool, SignInNotes(questions_pool), "https://mcp.example.com")
    stream = ChangeStream(redis, SIGNER)
    seals = RowSeals(SECRETS)
    renewals = Renewals(pool, Asker(egress, LOOPBACK), seals)
    refreshes = Refreshes(pool, Asker(egress, LOOPBACK), key_sets, seals)
    kept = KeptTokens(pool, seals, refreshes, PAGES_URL)
    exchanges = Exchanges(pool, OneExchange(Asker(egress, LOOPBACK), seals, key_sets, kept, time.time))
    statements = CallerStatements(STATEMENTS)
    usable = Usable(seals, renewals, place="process", for_callers=exchanges, statements=statements)
    starting = StartingServers(questions_pool, "process", tasks)
    questions = Questions(questions_pool, stream, SIGNER, usable, steps, PAGES_URL, signed, starting)
    discovered = Discovered()
    news = NewsOfLists(pool, discovered)
    listener = InternalListener(CALLS, questions, tasks, Watches(questions_pool, usable, news))
    runner = web.AppRunner(listener.application(), handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session:
        yield AskingProxy(f"http://127.0.0.1:{runner.addresses[0][1]}", session, discovered, starting)
    await runner.cleanup()
    await news.close()
    await tasks.close()
    await renewals.close()
    await exchanges.close()
    await refreshes.close()
    await redis.close()
    await key_sets.close()
    await egress.close()
    await close_pool(questions_pool)
