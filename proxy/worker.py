"""One proxy worker: its parts put together, its background work owned, its end orderly.

Run by the supervisor with inherited sockets (`ARCHWAY_PROXY_FD`), or alone as `python -m proxy.worker`.
"""

import asyncio
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop

from core import compiled_form
from core.egress.addresses import ANYWHERE
from core.egress.client import Egress, UpstreamFault
from core.internal_call import InternalCalls
from core.keys import BadKey
from core.logs import json_logging
from core.settings import BadSetting
from core.tasks import Tasks
from proxy import listeners
from proxy.access_endings import AccessEndings
from proxy.caches.disk_copy import DiskCopy
from proxy.caches.saving import Saving
from proxy.caches.two_ages import SourceUnreachable
from proxy.callers.signed_tokens import SignedTokens
from proxy.deps import Deps
from proxy.edge.long_calls import LongCalls
from proxy.edge.passing_on import open_to_pages
from proxy.edge.tls import ServerTls, tls_of
from proxy.explaining.explainer import Explainer
from proxy.forgetting import Forgetting
from proxy.garbage import collect_seldom
from proxy.gateways.acknowledging import Acknowledging
from proxy.gateways.changes import ChangeStream
from proxy.gateways.holder import Gateways
from proxy.gateways.opening import SWITCH_S
from proxy.gauges import Gauges, Watched
from proxy.internal import InternalListener
from proxy.letters import deliver
from proxy.limits.overload import Overload
from proxy.limits.running_calls import Calls, versions_in_use
from proxy.limits.streams import Streams
from proxy.limits.usage import Usage
from proxy.listening.descriptors import raise_limit
from proxy.lists import Lists
from proxy.records.keeper import RecordKeeper
from proxy.redis import Redis
from proxy.refusals import Refusal
from proxy.resolve.caller_verdicts import Authority
from proxy.resolve.control_client import ControlClient
from proxy.resolve.installations import Installations
from proxy.resolve.key_sets import IssuerUnknown, KeySets
from proxy.resolve.list_news import ListNews
from proxy.resolve.telling_steps import keep_telling
from proxy.search_indexes import SearchIndexes
from proxy.sessions.elsewhere import Elsewhere
from proxy.sessions.endings import Endings
from proxy.sessions.mailbox import Mailbox
from proxy.sessions.sealed import Sessions
from proxy.settings import ProxySettings, from_environment
from proxy.subscriptions.subscriptions import Subscriptions
from proxy.telemetry.counting import Slots
from proxy.telemetry.metrics import COMPILED, TLS_FILES_BROKEN, WORKER_START_TIME
from proxy.tracing.sending import sender_to
from proxy.tracing.tracer import Tracer
from proxy.upstream.conversation import Upstreams
from proxy.upstream.eras import Eras
from proxy.upstream.probe import Prober
from proxy.upstream.sessions import UpstreamSessions
from proxy.upstream.transport import open_to_upstreams
from proxy.upstream.watches import Watches

log = logging.getLogger(__name__)


class Worker:
    """The parts of one worker process."""

    def __init__(self, settings: ProxySettings) -> None:
        ring = settings.key_ring
        soft, hard = settings.soft_age, settings.max_stale
        self.settings = settings
        self.tasks = Tasks("worker", quiet=(Refusal, SourceUnreachable, IssuerUnknown, UpstreamFault))
        self.disk = DiskCopy(settings.disk_cache, ring, hard)
        self.redis = Redis(settings.redis_url)
        self.egress = open_to_upstreams(settings)
        self.to_control = Egress(ANYWHERE, ca_bundle=settings.ca_bundle or None, connect_seconds=1.0)
        self.control = control = ControlClient(
            self.to_control, settings.control_internal_url, InternalCalls(ring, caller="proxy", answerer="control")
        )
        unknown = settings.unknown_per_second
        self.authority = Authority(
            control, self.redis, ring, soft=soft, hard=hard, unknown_per_second=unknown, tasks=self.tasks
        )
        self.gateways = Gateways(
            control, self.redis, settings.verifier,
            soft_age=soft, max_stale=hard, unknown_per_second=unknown, tasks=self.tasks,
        )  # fmt: skip
        self.installations = Installations(control, self.redis, ring, soft=soft, hard=hard, tasks=self.tasks)
        self.key_sets = KeySets(control, self.redis, ring, settings.verifier, hard=hard, tasks=self.tasks)
        self.signed_tokens = SignedTokens(
            self.key_sets, self.gateways, issuer=settings.issuer, base_url=settings.base_url, per_second=unknown
        )
        self.saving = Saving(
            self.disk, (self.authority.verdicts, self.installations.resolved, self.key_sets.held, self.gateways)
        )
        upstream_sessions = UpstreamSessions(self.egress, self.redis, ring, self.tasks)
        self.to_listen, self.list_news = open_to_upstreams(settings), ListNews(control)
        upstreams = Upstreams(
            self.egress,
            Eras(self.egress, self.tasks),
            upstream_sessions,
            self.tasks,
            to_listen=self.to_listen,
            list_news=self.list_news,
            call_seconds=settings.call_seconds,
            ceiling_seconds=settings.call_ceiling_seconds,
            max_answer=settings.max_answer,
        )
        self.watches = Watches(control, upstreams.listening, self.list_news)
        self.slots, self.overload, self.usage = Slots(settings.metrics_file), Overload(settings.most_lag), Usage()
        sessions, streams = Sessions(ring, self.redis), Streams()
        mailbox = Mailbox(self.redis, ring, lambda letter: deliver(letter, self.deps))
        self.deps = Deps(
            settings=settings,
            slots=self.slots,
            authority=self.authority,
            signed_tokens=self.signed_tokens,
            gateways=self.gateways,
            sessions=sessions,
            endings=Endings(sessions, mailbox, streams),
            installations=self.installations,
            upstreams=upstreams,
            calls=Calls(self.tasks),
            mailbox=mailbox,
            records=RecordKeeper(self.redis, ring, settings.disk_cache),
            streams=streams,
            lists=Lists(self.tasks),
            searches=SearchIndexes(self.tasks),
            subscriptions=Subscriptions(
                upstreams.listening, self.redis, ring, mailbox, self.installations, self.tasks
            ),
            suspended=Elsewhere(mailbox, self.redis, ring, self.tasks),
            hosts=settings.hosts,
            origins=settings.origins,
            follows_changes=self._follows_changes,
            usage=self.usage,
            overload=self.overload,
            to_pages=open_to_pages(settings),
        )
        self.deps.calls.watch(self.deps.suspended.here)
        upstreams.asides.attend = self.deps.calls.attend
        upstream_sessions.ends.running = lambda: versions_in_use(self.deps.calls.running())
        self.access = AccessEndings(self.deps, self.tasks)
        self.forgetting = Forgetting(
            self.authority, self.key_sets, self.signed_tokens, self.gateways, self.installations, upstreams,
            sessions, self.deps.calls, self.access, self.deps.subscriptions, self.watches,
        )  # fmt: skip
        self.changes = ChangeStream(
            self.redis,
            settings.verifier,
            self.gateways,
            apply=self.forgetting.apply,
            doubt=self.forgetting.doubt,
            compare_every=soft,
        )
        self.acknowledging = Acknowledging(self.redis, ring, self.changes, self.access.settled)
        mailbox.reconnected = self._missed_letters
        self.spans = sender_to(settings.otlp_endpoint, settings.collector_headers, settings.ca_bundle)
        if self.spans is not None:
            ratio, per_second = settings.trace_ratio, settings.traces_per_second
            self.deps.tracer = Tracer(self.spans, ratio=ratio, per_second=per_second)
        self.gauges = Gauges(
            self.deps,
            Watched(
                self.slots, self.usage, self.overload, self.authority.verdicts.memory,
                self.installations.resolved.memory, self.gateways, self.changes, self.egress, control.clock,
                self.spans, self.key_sets, self.signed_tokens, self.access, self.authority.refreshes,
                self.installations.refreshes, self.watches, self.list_news,
            ),
        )  # fmt: skip
        self.internal = InternalListener(
            InternalCalls(ring, caller="control", answerer="proxy"),
            Prober(upstreams, self.egress),
            Explainer(self.deps, control, settings.verifier),
        )

    def _missed_letters(self) -> None:
        self.deps.endings.doubt()
        self.deps.subscriptions.doubt()

    def _follows_changes(self) -> bool:
        return self.changes.compared_once.is_set()

    def start(self) -> None:
        """Load the copy on disk and begin the background work."""
        deps = self.deps
        self.authority.verdicts.load(self.disk)
        self.installations.resolved.load(self.disk)
        self.key_sets.held.load(self.disk)
        self.gateways.load_disk(self.disk)
        self.slots.set(WORKER_START_TIME, time.time())
        self.slots.set(COMPILED, float(compiled_form.is_used()))
        for name, work in (
            ("changes", self.changes.follow()),
            ("mailbox", deps.mailbox.read()),
            ("endings", deps.endings.keep_up()),
            ("records", deps.records.send()),
            ("gauges", self.gauges.keep_telling()),
            ("overload", self.overload.watch()),
            ("disk", self.saving.keep_saving()),
            ("access", self.access.keep_looking()),
            ("ends of upstream sessions", self.deps.upstreams.sessions.keep_ending()),
            ("long calls", LongCalls(deps.calls).keep_looking()),
            ("acknowledging", self.acknowledging.keep_telling()),
            ("list-news", self.list_news.keep_telling()),
            ("watches", self.watches.keep_asking()),
            ("sign-ins", keep_telling(deps.sign_ins, self.control)),
        ):
            _ = self.tasks.spawn(name, work)

    async def close(self) -> None:
        """Leave everything safe: the records of the calls that still run, then the copy on disk."""
        await self.deps.calls.end()
        await self.deps.suspended.end()
        self.deps.upstreams.large.close()
        await self.deps.records.close()
        await self.deps.upstreams.sessions.close()
        if self.spans is not None:
            await asyncio.to_thread(self.spans.close)
        self.gauges.tell()
        await self.tasks.close()
        await self.acknowledging.leave()
        await self.watches.leave()
        await self.saving.save()
        self.disk.close()
        await self.egress.close()
        await self.to_listen.close()
        await self.to_control.close()
        if self.deps.to_pages is not None:
            await self.deps.to_pages.close()
        await self.redis.close()


@asynccontextmanager
async def listening(worker: Worker, tls: ServerTls | None = None) -> AsyncIterator[tuple[int, int]]:
    """Both listeners open; their ports."""
    async with listeners.listening(worker.deps, worker.internal, tls) as ports:
        yield ports


async def run(settings: ProxySettings) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    worker = Worker(settings)
    worker.start()
    if why_not := os.environ.get(compiled_form.WHY_NOT):
        log.warning("the compiled modules are not used; `make compiled` makes them again", extra={"why": why_not})
    try:
        slots = worker.slots
        tls = tls_of(settings.tls_cert, settings.tls_key, lambda broken: slots.set(TLS_FILES_BROKEN, float(broken)))
        if tls:
            loop.add_signal_handler(signal.SIGHUP, tls.look_now)
        async with listening(worker, tls) as (public, internal):
            form = "compiled" if compiled_form.is_used() else "interpreted"
            log.info("proxy worker serves", extra={"port": public, "internal_port": internal, "form": form})
            await stop.wait()
    finally:
        await worker.close()


def main() -> None:
    """The process."""
    try:
        settings = from_environment()
    except (BadSetting, BadKey) as error:
        sys.exit(f"archway proxy: {error}")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold every credential in memory
    raise_limit()
    collect_seldom()
    sys.setswitchinterval(SWITCH_S)
    with json_logging(settings.log_level):
        try:
            uvloop.run(run(settings))
        except BadSetting as error:
            sys.exit(f"archway proxy: {error}")


if __name__ == "__main__":
    main()
