"""What control answers to proxies: who calls, which credential, a gateway, the index, the keys of an issuer.

Called by `listener.py`, which has checked that a proxy asks. The proxy's word is not taken for who calls: the
caller's proof is looked up again in the transaction that finds the credential. A question that is out of form (an
identifier that is none) has the answer that fits a thing which does not exist. A list of questions is answered by the
same code as one, with as many statements.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from control.credentials.calling import Calling
from control.credentials.cure import install_link, with_link
from control.credentials.more_access import beyond, to_ask_for_more
from control.credentials.resolution import ResolutionRows, choose_installation
from control.credentials.statement import facts_of
from control.credentials.upstream_oauth.challenge import MOST_SCOPES
from control.credentials.usable import Usable
from control.internal.bearers import bearer, calling_of, of_tokens, signed_among
from control.internal.signed_callers import SignedCallers
from control.internal.starting import StartingServers
from control.internal.told_steps import StepsAtProxies
from control.publish.documents import gateway_document, index_document
from control.publish.epochs import ChangeStream
from control.redis import RedisAway
from control.registry.account import Account
from control.registry.credential import OAuthCredential
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.oauth_scopes import is_scope
from control.registry.server_state import Place
from control.store import accounts
from control.store.gateway_names import id_by_any_name
from control.store.pool import Connection, Pool, StoreConflict, StoreUnavailable, transaction
from control.store.resolution import Wanted, resolution_rows
from control.store.tokens import verdict_for, verdicts_for
from core.gateway_answers import GatewayAnswer, GatewayQuestion, IndexAnswer
from core.identifiers import SLUG, is_id
from core.key_sets import KeySetAnswer, KeySetQuestion
from core.resolve import (
    AnsweredInstallation,
    CallerQuestion,
    CallerQuestions,
    CallerVerdict,
    CallerVerdicts,
    InstallationAnswer,
    InstallationAnswers,
    InstallationQuestion,
    InstallationQuestions,
    InstallationRefusal,
    JwtProof,
    ResolvedInstallation,
)
from core.signing import Signer

log = logging.getLogger(__name__)

LIST_WITHIN_S: Final = 1.0
"""How long the answers of a list wait for providers: whoever asks for many does so beside the calls, and again."""
LONGEST_WAIT_S: Final = 10.0
"""How long an answer waits for a provider, for an asker that waits for so long."""
_NOT_VALID = InstallationRefusal(
    "not_allowed", "The token that you call with is not valid here any more; ask an administrator for another."
)


@dataclass(frozen=True, slots=True)
class Later:
    """An answer that may wait for somebody outside: for a provider, which holds up no other question of its kind."""

    answer: Callable[[], Awaitable[Any]]
    waits_s: float = 0.0
    """For how long it waits at most, where that is not as long as any answer."""


@dataclass(frozen=True, slots=True)
class Questions:
    """Answers proxies' questions from Postgres; each method raises StoreUnavailable while Postgres is away."""

    pool: Pool
    stream: ChangeStream
    signer: Signer
    usable: Usable
    """Makes what was chosen ready for use."""
    steps: StepsAtProxies
    """Takes what proxies tell, which is no question."""
    pages_url: str
    """Where people's pages are: refusals link to the one on which a credential is given."""
    signed: SignedCallers = field(default_factory=SignedCallers)
    """Judges signed tokens."""
    starting: StartingServers | None = None
    """Has servers that we run started, and waits for them; None: nobody does."""
    place: Place | None = None
    """Where those run; None for nowhere."""

    async def key_set(self, question: KeySetQuestion) -> KeySetAnswer:
        """Say what an issuer's keys are."""
        return await self.signed.key_set(question)

    async def caller(self, question: CallerQuestion) -> CallerVerdict:
        """Say who the bearer of a credential is."""
        proof = question.proof
        if isinstance(proof, JwtProof):
            return await self.signed.verdict(proof)
        if not of_tokens([proof]):
            return CallerVerdict(question.digest, refusal="unknown")
        async with transaction(self.pool) as connection:
            return await verdict_for(connection, question.digest)

    async def callers(self, questions: CallerQuestions) -> CallerVerdicts:
        """Say who bears these credentials; where one cannot be read, nothing, so that each is asked alone."""
        asked, digests = {*questions.digests}, of_tokens(questions.proofs)
        signed = [proof for proof in signed_among(questions.proofs) if proof.digest in asked]
        others = asked - digests - {proof.digest for proof in signed}
        impossible = [CallerVerdict(digest, refusal="unknown") for digest in others]
        impossible += (await self.signed.verdicts(signed)).values()
        try:
            async with transaction(self.pool) as connection:
                verdicts = await verdicts_for(connection, list(digests))
        except (StoreUnavailable, StoreConflict):
            raise
        except Exception:
            log.exception("a list of callers cannot be answered")
            return CallerVerdicts(impossible)
        return CallerVerdicts([*verdicts.values(), *impossible])

    async def installation(self, question: InstallationQuestion) -> Later:
        """Say which upstream and which credential serve this bearer for this assigned tool. What is read is read
        here; a provider that has to give a token first, or a server that starts, is waited for later.
        """
        calling, rows = (await self._read([question]))[0]
        waits = min(max(question.waits_s, 0.0), LONGEST_WAIT_S)
        return Later(lambda: self._resolved(calling, rows, question, waits), waits)

    async def installations(self, questions: InstallationQuestions) -> Later | InstallationAnswers:
        """Say the same for many; what cannot be answered is left out, to be asked alone."""
        try:
            read = await self._read(questions.questions)
        except (StoreUnavailable, StoreConflict):
            raise
        except Exception:
            log.exception("a list of installations cannot be answered")
            return InstallationAnswers([])
        return Later(lambda: self._all_resolved(questions.questions, read))

    async def _all_resolved(
        self,
        questions: Sequence[InstallationQuestion],
        read: Sequence[tuple[Calling | None, ResolutionRows | None]],
    ) -> InstallationAnswers:
        """All at once, so that a provider which is slow holds up nobody else's; those that are not there in time are
        left out.
        """
        found: list[AnsweredInstallation] = []

        async def answer(question: InstallationQuestion, of: tuple[Calling | None, ResolutionRows | None]) -> None:
            try:
                answered = await self._resolved(*of, question)
            except Exception:
                log.exception("an installation of a list cannot be resolved")
            else:
                found.append(AnsweredInstallation(question.named, answered))

        with suppress(TimeoutError):
            async with asyncio.timeout(LIST_WITHIN_S):
                await asyncio.gather(*(answer(*one) for one in zip(questions, read, strict=True)))
        return InstallationAnswers(found)

    async def _read(
        self, questions: Sequence[InstallationQuestion]
    ) -> list[tuple[Calling | None, ResolutionRows | None]]:
        """Of each question: who asks, if their proof holds, and what the choice for them looks at."""
        proofs = [question.proof for question in questions]
        digests, signed = of_tokens(proofs), signed_among(proofs)
        if not digests and not signed:
            return [(None, None)] * len(questions)
        judged = await self.signed.verdicts(signed)
        async with transaction(self.pool) as connection:
            verdicts = await verdicts_for(connection, list(digests))
            callers = [
                bearer(question, verdicts) or await self._signed_bearer(connection, question, judged)
                for question in questions
            ]
            wanted = {
                number: Wanted(question.gateway_id, question.assignment_id, calling.principal)
                for number, (question, calling) in enumerate(zip(questions, callers, strict=True))
                if calling is not None and is_id(question.gateway_id) and is_id(question.assignment_id)
            }
            rows = dict(zip(wanted, await resolution_rows(connection, list(wanted.values())), strict=True))
        return [(calling, rows.get(number)) for number, calling in enumerate(callers)]

    async def _signed_bearer(
        self, connection: Connection, question: InstallationQuestion, judged: Mapping[str, CallerVerdict]
    ) -> Calling | None:
        """Who bears the signed token that this question stands in, if it was made for the gateway that it names."""
        proof = question.proof
        verdict = judged.get(proof.digest) if isinstance(proof, JwtProof) else None
        if not isinstance(proof, JwtProof) or verdict is None or verdict.principal is None:
            return None
        if not is_id(question.gateway_id) or not await self.signed.accepts(connection, proof, question.gateway_id):
            return None
        return calling_of(question, verdict, verdict.principal)

    async def _resolved(
        self,
        calling: Calling | None,
        rows: ResolutionRows | None,
        question: InstallationQuestion,
        waits: float = 0.0,
    ) -> InstallationAnswer:
        if calling is None:
            return _refused(_NOT_VALID)
        principal = calling.principal
        chosen = choose_installation(principal, rows, self.pages_url, kind=calling.kind)
        if isinstance(chosen, InstallationRefusal):
            return _refused(chosen)
        assert rows is not None  # else nothing was chosen
        if self.starting is not None and await self.starting.wanted.called(rows.entry, chosen):
            return await self._resolved(*(await self._read([question]))[0], question, waits)
        account = rows.accounts.get(chosen.id)
        credential, asks_more = rows.entry.credential, question.needed_scopes or question.too_few_scopes
        if asks_more and account is not None and isinstance(credential, OAuthCredential):
            found = await self._needs_more(rows.entry, chosen, credential, account, question.needed_scopes)
        else:
            until = time.monotonic() + waits
            found = await self.usable.resolved(
                rows.entry,
                chosen,
                account,
                question.refused_version,
                waits,
                calling=calling,
                newer_than=question.refused_obtained,
                facts=facts_of(principal, rows),
            )
            if await self._has_started(found, chosen, until - time.monotonic()):
                return await self._resolved(*(await self._read([question]))[0], question)
        if isinstance(found, ResolvedInstallation):
            return InstallationAnswer(installation=found)
        link = install_link(self.pages_url, rows.entry, principal, chosen)
        return _refused(with_link(found, principal, link))

    async def _has_started(
        self, found: ResolvedInstallation | InstallationRefusal, chosen: Installation, within: float
    ) -> bool:
        """Whether a server that is starting is another matter within so many seconds."""
        if not isinstance(found, InstallationRefusal) or found.code != "server_starting" or not found.under_way:
            return False
        return self.starting is not None and await self.starting.wait(chosen.id, within)

    async def _needs_more(
        self,
        entry: Entry,
        installation: Installation,
        credential: OAuthCredential,
        account: Account,
        scopes: Sequence[str],
    ) -> InstallationRefusal | ResolvedInstallation:
        """The server asks for more than the account may do: kept for its next sign-in, to which its person is led,
        where the entry lets people ask for it.
        """
        wanted = [one for one in scopes if is_scope(one)][:MOST_SCOPES]
        if not beyond(credential, wanted):
            async with transaction(self.pool) as connection:
                await accounts.want_scopes(connection, installation.id, wanted, MOST_SCOPES)
        return to_ask_for_more(entry, installation, credential, wanted, account.scopes)

    async def gateway(self, question: GatewayQuestion) -> GatewayAnswer:
        """The snapshot of the gateway with this slug, slug of before, or identifier."""
        name = question.name
        if not (SLUG.fullmatch(name) or is_id(name)):
            return GatewayAnswer()
        async with transaction(self.pool, readonly=True, isolation="repeatable_read") as connection:
            gateway_id = await id_by_any_name(connection, name)
            found = await gateway_document(connection, gateway_id, self.signer, self.place) if gateway_id else None
        return GatewayAnswer(found.id, found.document) if found else GatewayAnswer()

    async def index(self) -> IndexAnswer:
        """The index, for the epoch that Redis shows."""
        try:
            epoch = await self.stream.epoch()
        except RedisAway:
            epoch = ""
        async with transaction(self.pool, readonly=True, isolation="repeatable_read") as connection:
            return IndexAnswer((await index_document(connection, epoch, self.signer)).document)


def _refused(refusal: InstallationRefusal) -> InstallationAnswer:
    return InstallationAnswer(refusal=refusal)
