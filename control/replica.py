"""One control replica: its parts put together, its background work owned, its end orderly.

`control/main.py` composes one and opens its listeners. It starts and stays up with Redis away; a database that is
away is waited for at the start, and after that each request is told.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Final

from control.accounts.early_renewals import EarlyRenewals
from control.accounts.our_client import our_client
from control.accounts.renewals import Renewals
from control.accounts.revocations import Revocations
from control.accounts.sign_ins import SignIns
from control.accounts.unended import UnendedSignIns
from control.accounts.upstream_providers import UpstreamProviders
from control.admin.deps import Deps
from control.changes.first_admin import ensure_first_admin
from control.credentials.statement import CallerStatements
from control.credentials.usable import Usable
from control.discovery.asked_again import AskedAgain
from control.discovery.discover import Discoverer
from control.discovery.news import NewsOfLists
from control.discovery.probe_client import ProbeClient
from control.discovery.server_reports import ServerReports
from control.discovery.under_way import DiscoveriesUnderWay
from control.exchanges.exchanges import Exchanges
from control.exchanges.one_exchange import OneExchange
from control.exchanges.trial import exchange_trial
from control.explain.dry_usable import Opening
from control.explain.explaining import Explaining
from control.explain.would_exchange import WouldExchange
from control.hosted_servers import HostedServers, hosted_servers, safeguards_of
from control.http.metrics import Metrics
from control.identity.callers import ProviderCallers
from control.identity.kept_tokens import KeptTokens
from control.identity.key_sets import KeySets
from control.identity.presence import Presence
from control.identity.refreshes import Refreshes
from control.identity.single_sign_on import SingleSignOn
from control.identity.unseen import keep_unseen_forgotten
from control.internal.listener import PLACES, InternalListener
from control.internal.own_callers import OwnCallers
from control.internal.questions import Questions
from control.internal.signed_callers import SignedCallers
from control.internal.starting import StartingServers
from control.internal.told_steps import StepsAtProxies
from control.internal.watches import Watches
from control.oauth.sweep import keep_swept
from control.providers.asking import Asker
from control.proxies import Proxies
from control.public.deps import PublicDeps
from control.publish.acknowledgements import Acknowledgements
from control.publish.copies import StaleCopiesSweep
from control.publish.epochs import ChangeStream
from control.publish.publisher import Publisher
from control.records.consumer import RecordConsumer
from control.records.first_calls import FirstCalls
from control.records.partitions import keep_partitions
from control.records.sign_in_notes import SignInNotes
from control.redis import Redis
from control.registry.refresh_token import RefreshTokens
from control.registry.row_seals import RowSeals
from control.settings import ControlSettings
from control.store.migrate import migrate
from control.store.notifications import listen as listen_for
from control.store.pool import Pool, StoreUnavailable, close_pool, open_pool
from core.caller_statements import StatementSigner
from core.egress.addresses import ANYWHERE, AddressPolicy
from core.egress.client import Egress
from core.internal_call import InternalCalls
from core.jwt import AccessTokenSigner
from core.settings import BadSetting
from core.tasks import Tasks

log = logging.getLogger("control.main")  # what the process says of itself has one name

OUTBOX_CHANNEL: Final = "archway_outbox"
SERVERS_CHANNEL: Final = "archway_servers"
_DATABASE_AGAIN_S: Final = 1.0
_PUBLISH_DEADLINE_S: Final = 1.0
"""A slow Redis must not stop publishing; nobody waits for it but the next round."""
_QUESTION_DEADLINE_S: Final = 0.15
"""A proxy waits for the answer."""
_PEOPLE_DEADLINE_S: Final = 0.5
"""A person waits for the page, and it does without Redis."""


class Replica:
    """One replica of control, made of its parts by `composed`."""

    def __init__(
        self,
        settings: ControlSettings,
        pool: Pool,
        questions_pool: Pool,
        to_proxies: Egress,
        outside: Egress,
        public: Egress,
    ) -> None:
        self.settings, self.pool, self.seals = settings, pool, RowSeals(settings.secret_ring)
        ring, signer, seals = settings.proxy_ring, settings.signer, self.seals
        self.redis = {
            "publish": Redis(settings.redis_url, deadline_s=_PUBLISH_DEADLINE_S),
            "records": Redis(settings.redis_url, deadline_s=_PUBLISH_DEADLINE_S),
            "questions": Redis(settings.redis_url, deadline_s=_QUESTION_DEADLINE_S),
            "people": Redis(settings.redis_url, deadline_s=_PEOPLE_DEADLINE_S),
        }
        asker = Asker(outside, settings.addresses, Asker(public, AddressPolicy()))
        self.key_sets = KeySets(pool, asker, signer)
        self.refreshes = Refreshes(pool, asker, self.key_sets, seals)
        self.presence = Presence(pool, self.refreshes)
        self.kept_tokens = KeptTokens(pool, seals, self.refreshes, settings.pages_url)
        single_sign_on = SingleSignOn(pool, asker, self.key_sets, seals, settings.pages_url)
        self.hosted: HostedServers | None = None
        """The servers that run here or in a cluster; set by `host`, before anything begins."""
        self.copies = StaleCopiesSweep(pool, self.redis["publish"])
        place = settings.runtime or None
        self.publisher = Publisher(pool, self.redis["publish"], signer, place=place, copies_stale=self.copies.wake)
        sign_ins = SignInNotes(pool)
        self.consumer = RecordConsumer(
            pool, self.redis["records"], ring, days_kept=settings.records_days, first_calls=FirstCalls(pool, sign_ins)
        )
        self.tasks = Tasks("control")
        access_tokens = AccessTokenSigner(settings.signing_ring, settings.pages_url)
        own = OwnCallers(questions_pool, access_tokens, signer, settings.base_url)
        self.renewals = Renewals(pool, asker, seals)
        self.early_renewals = EarlyRenewals(pool, self.renewals)
        self.exchanges = Exchanges(
            questions_pool, OneExchange(asker, seals, self.key_sets, self.kept_tokens, time.time)
        )
        self.metrics = Metrics(pool, self.renewals, self.exchanges.counts, place)
        statements = StatementSigner(settings.signing_ring, settings.pages_url)
        usable = Usable(
            seals, self.renewals, place=place, for_callers=self.exchanges, statements=CallerStatements(statements)
        )
        stream = ChangeStream(self.redis["questions"], signer)
        steps = StepsAtProxies(questions_pool, SignInNotes(questions_pool), settings.base_url)
        calls = InternalCalls(ring, caller="control", answerer="proxy")
        proxies = Proxies(to_proxies, settings.proxy_internal_url, calls)
        opening = Opening(seals, place, CallerStatements(statements), WouldExchange(pool, settings.pages_url))
        explaining = Explaining(pool, proxies, opening, settings.pages_url)
        safeguards = safeguards_of(settings, seals)
        discoverer = Discoverer(pool, ProbeClient(proxies), safeguards, usable)
        self.discoveries = DiscoveriesUnderWay(discoverer, self.redis["people"])
        self.news = NewsOfLists(pool, discoverer)
        self.server_reports = ServerReports(pool, discoverer)
        signed = SignedCallers((own, ProviderCallers(questions_pool, self.key_sets)))
        starting = StartingServers(questions_pool, place, self.tasks)
        self.internal = InternalListener(
            InternalCalls(ring, caller="proxy", answerer="control"),
            Questions(questions_pool, stream, signer, usable, steps, settings.pages_url, signed, starting, place),
            self.tasks,
            Watches(questions_pool, usable, self.news),
        )
        upstream = UpstreamProviders(pool, asker, seals, our_client(settings.pages_url))
        self.revocations = Revocations(pool, asker, seals)
        self.unended = UnendedSignIns(pool, seals)
        self.acknowledgements = Acknowledgements(pool, self.redis["people"], stream, ring)
        self.admin = Deps(
            pool=pool,
            safeguards=safeguards,
            discoverer=discoverer,
            explaining=explaining,
            key_sets=self.key_sets,
            upstream=upstream,
            redirect_uri=single_sign_on.redirect_uri,
            public_url=settings.base_url,
            issuer_url=settings.pages_url,
            run_token_sha256=settings.run_token_sha256,
            allowed_hosts=frozenset(settings.hosts),
            records_days=settings.records_days,
            base_image=settings.base_image,
            acknowledged=self.acknowledgements.of,
            exchange_trial=exchange_trial(asker, seals, self.key_sets),
        )
        self.public = PublicDeps(
            pool=pool,
            redis=self.redis["people"],
            seals=seals,
            safeguards=safeguards,
            signer=signer,
            egress=outside,
            single_sign_on=single_sign_on,
            explaining=explaining,
            key_sets=self.key_sets,
            discoveries=self.discoveries,
            account_sign_ins=SignIns(pool, seals, upstream),
            public_url=settings.base_url,
            issuer_url=settings.pages_url,
            allowed_hosts=frozenset(settings.people_hosts),
            from_proxies=InternalCalls(ring, caller="proxy", answerer="control"),
            access_tokens=access_tokens,
            statement_keys=statements.public_keys,
            refresh_tokens=RefreshTokens(settings.secret_ring),
            trusted_proxies=settings.proxies,
            records_days=settings.records_days,
        )

    def host(self, hosted: HostedServers | None) -> None:
        """Run servers so, from `start` on; people read their logs through it."""
        self.hosted = hosted
        if hosted is not None:
            self.admin = replace(self.admin, runtime=hosted.runtime)
            self.public = replace(self.public, runtime=hosted.runtime)

    def start(self) -> None:
        """Begin the background work."""
        dsn, days = self.settings.database_url, self.settings.records_days
        for name, work in (
            ("publisher", self.publisher.run()),
            ("stale-copies", self.copies.run()),
            ("outbox", listen_for(dsn, OUTBOX_CHANNEL, self.publisher.wake)),
            ("records", self.consumer.run()),
            ("partitions", keep_partitions(self.pool, days)),
            ("key-sets", self.key_sets.run()),
            ("presence", self.presence.run()),
            ("early-renewals", self.early_renewals.run()),
            ("account-revocations", self.revocations.run()),
            ("unended-sign-ins", self.unended.run()),
            ("asked-again", AskedAgain(self.pool, self.admin.discoverer).run()),
            ("oauth-sweep", keep_swept(self.pool)),
            ("unseen-externals", keep_unseen_forgotten(self.pool)),
        ):
            _ = self.tasks.spawn(name, work)
        if self.hosted is not None:
            self.hosted.start()
            _ = self.tasks.spawn("servers-listen", listen_for(dsn, SERVERS_CHANNEL, self.hosted.wake))

    async def close(self) -> None:
        """End the background work; what it left undone is in Postgres or Redis, for the next."""
        if self.hosted is not None:
            await self.hosted.close()
        await self.tasks.close()
        await self.discoveries.close()
        await self.news.close()
        await self.server_reports.close()
        await self.early_renewals.close()
        await self.renewals.close()
        await self.exchanges.close()
        await self.refreshes.close()
        await self.key_sets.close()
        await self.consumer.close()
        for redis in self.redis.values():
            await redis.close()


@asynccontextmanager
async def composed(settings: ControlSettings) -> AsyncIterator[Replica]:
    """A replica that works; its database is migrated and has its first admin. Raises as `database_ready`."""
    await database_ready(settings)
    async with AsyncExitStack() as ending:
        pool = await open_pool(settings.database_url)
        ending.push_async_callback(close_pool, pool)
        questions_pool = await open_pool(settings.database_url, largest=sum(PLACES.values()), plans_once=True)
        ending.push_async_callback(close_pool, questions_pool)
        await ensure_first_admin(pool)
        to_proxies = await ending.enter_async_context(_egress(settings, ANYWHERE))
        outside = await ending.enter_async_context(_egress(settings, settings.addresses))
        public = await ending.enter_async_context(_egress(settings, AddressPolicy()))
        replica = Replica(settings, pool, questions_pool, to_proxies, outside, public)
        hosted = await hosted_servers(
            settings, pool, replica.seals, replica.server_reports.take, replica.renewals, replica.acknowledgements.of
        )
        replica.host(hosted)
        replica.start()
        ending.push_async_callback(replica.close)
        yield replica


def _egress(settings: ControlSettings, addresses: AddressPolicy) -> Egress:
    """A client for these addresses; those of proxies are the operator's word. Raises BadSetting."""
    try:
        return Egress(addresses, ca_bundle=settings.ca_bundle or None)
    except ValueError as unusable:
        raise BadSetting(str(unusable)) from None


async def database_ready(settings: ControlSettings) -> None:
    """Migrate; wait for a database that is away. Raises StoreUnavailable in the end, MigrationRefused at once."""
    deadline = time.monotonic() + settings.database_wait
    while True:
        try:
            applied = await migrate(settings.database_url)
        except StoreUnavailable as fault:
            if time.monotonic() > deadline:
                raise
            log.warning("waiting for the database at ARCHWAY_DATABASE_URL", extra={"fault": str(fault)})
            await asyncio.sleep(_DATABASE_AGAIN_S)
        else:
            log.info("database ready", extra={"applied": ", ".join(applied)})
            return
