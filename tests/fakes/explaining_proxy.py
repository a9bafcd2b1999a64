"""A proxy in this process, as far as control asks it what would become of a call: a worker's own stages, run dry.

    async with explaining_proxy(pool, signer) as proxies:
        explaining = Explaining(pool, proxies, seals, None, "https://tools.example.com")

Gateways are compiled from the database, as control does for a proxy that asks. Only HTTP is left out between the two.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import msgspec

from control.proxies import Proxies, ProxyAway
from control.publish.documents import gateway_document
from control.store.gateway_names import id_by_any_name
from control.store.pool import Pool, transaction
from core.explain import ExplainQuestion
from core.gateway_answers import GatewayAnswer, GatewayQuestion
from core.signing import Signer, Verifier
from proxy.explaining.explainer import Explainer
from proxy.resolve.control_client import ControlClient
from proxy.worker import Worker
from tests.fakes.call_parts import worker

T = TypeVar("T")


class _Documents:
    """Control, as far as gateways go."""

    def __init__(self, pool: Pool, signer: Signer) -> None:
        self._pool, self._signer = pool, signer

    async def gateway(self, question: GatewayQuestion) -> GatewayAnswer:
        async with transaction(self._pool, readonly=True, isolation="repeatable_read") as connection:
            gateway_id = await id_by_any_name(connection, question.name)
            found = await gateway_document(connection, gateway_id, self._signer, None) if gateway_id else None
        return GatewayAnswer(found.id, found.document) if found else GatewayAnswer()


class ExplainingProxy:
    """Set `away` and nobody answers; `questions` are those that came."""

    def __init__(self, made: Worker, pool: Pool, signer: Signer) -> None:
        control = cast("ControlClient", _Documents(pool, signer))
        self._explainer = Explainer(made.deps, control, Verifier("keys", signer.public_keys))
        self.away = ""
        self.questions: list[ExplainQuestion] = []

    async def ask(self, path: str, question: Any, answer: type[T], *, deadline: float, again: str) -> T:
        """The answer, as it comes over the wire."""
        if self.away:
            raise ProxyAway(self.away)
        asked = msgspec.msgpack.decode(msgspec.msgpack.encode(question), type=ExplainQuestion)
        self.questions.append(asked)
        return msgspec.msgpack.decode(msgspec.msgpack.encode(await self._explainer.explain(asked)), type=answer)


@asynccontextmanager
async def explaining_proxy(pool: Pool, signer: Signer) -> AsyncIterator[Proxies]:
    """It, in the place of all proxies."""
    async with worker() as made:
        yield cast("Proxies", ExplainingProxy(made, pool, signer))
