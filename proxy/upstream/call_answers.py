"""What a server answers to one call, and what it says before: progress, logs, questions, news of its lists.

For `conversation`, which opens the call and judges refusals. Called for answers that are a success: one JSON body, an
event stream, or a page of a list that discovery reads. A legacy server may end a stream to be asked for the rest.
"""

import time
from functools import partial

from core.egress.faults import UpstreamFault
from core.mcp.methods import LIST_CHANGED, LOG_MESSAGE, PROGRESS
from core.mcp.versions import Era
from proxy.resolve.list_news import ListNews
from proxy.upstream.addresses import address_of
from proxy.upstream.answers import Json, is_answer_to, is_stream, messages, no_answer, whole_answer
from proxy.upstream.running_call import RunningCall
from proxy.upstream.servers_questions import ServersQuestions
from proxy.upstream.taken_up import take_up
from proxy.upstream.transport import Transport, UpstreamAnswer


class CallAnswers:
    """Reads the answers to calls. `most`: bytes that one may have."""

    def __init__(self, transport: Transport, questions: ServersQuestions, list_news: ListNews, *, most: int) -> None:
        self._transport, self._questions, self._list_news, self._most = transport, questions, list_news, most

    async def of(self, call: RunningCall, response: UpstreamAnswer) -> Json | None:
        """The message that answers; None where a stream ended before it and can be taken up. Raises UpstreamFault."""
        if call.outbound.lists is not None:
            beside = partial(self._beside, call)
            return await call.outbound.lists.answer(response, call.outbound.id, self._most, beside)
        if is_stream(response):
            return await self._from_stream(call, response)
        return await whole_answer(response, call.outbound.id, cap_bytes=self._most, large=call.turns)

    async def taken_up(self, call: RunningCall) -> Json:
        """The answer of a call whose stream ended before it. Raises UpstreamFault."""
        assert call.headers is not None
        read, url = partial(self._from_stream, call), address_of(call.installation)
        received = await take_up(self._transport, url, call.headers, call.position, read)
        call.headers = None
        return received

    async def _from_stream(self, call: RunningCall, response: UpstreamAnswer) -> Json | None:
        position = call.position if call.era is Era.LEGACY else None
        try:
            async for received in messages(response, cap_bytes=self._most, large=call.turns, position=position):
                if is_answer_to(received, call.outbound.id):
                    return received
                await self._beside(call, received)
        except UpstreamFault as fault:
            if position is None or not position.is_resumable_after(fault):
                raise
            response.never_reuse()
        if position is None or not position.last_id:
            raise no_answer()
        return None

    async def _beside(self, call: RunningCall, message: Json) -> None:
        """A notification or a request that came before the answer; what is not known here is dropped."""
        method, params = message.get("method"), message.get("params")
        if "id" in message and isinstance(method, str):
            self._questions.take(call, message, method)
            return
        if isinstance(method, str) and method in LIST_CHANGED and call.outbound.lists is None:
            # Not beside a list: a server that says so whenever it is asked for one would be asked again and again.
            self._list_news.note(call.installation.installation_id, LIST_CHANGED[method])
        if not isinstance(params, dict):
            return
        if method == LOG_MESSAGE and call.outbound.hears:
            await call.beside.tell(LOG_MESSAGE, params)
        if method != PROGRESS:
            return
        if not call.outbound.wants_progress or params.get("progressToken") != call.outbound.progress_token:
            return
        call.deadline.until = min(time.monotonic() + call.extend, call.latest)
        await call.beside.tell(PROGRESS, params)
