"""A server and a caller that nobody waits for: what `bench.stages` puts in the place of both ends of a call."""

from collections.abc import Iterator
from typing import cast

from core.resolve import ResolvedInstallation
from proxy.upstream.outbound import Outbound

Json = dict[str, object]


class Answered:
    """In the place of a `SentCall`: it is ready at once."""

    def __init__(self, outbound: Outbound) -> None:
        self.outbound = outbound

    def __await__(self) -> Iterator[None]:
        """Nothing is waited for."""
        return iter(())


class Immediate:
    """In the place of `Upstreams`: the echo of the arguments, at once."""

    def __init__(self) -> None:
        self.sent = self  # and in the place of `SentCalls`

    def begin(
        self, installation: ResolvedInstallation, outbound: Outbound, principal: str, jti: str | None
    ) -> Answered:
        """Nothing is sent."""
        return Answered(outbound)

    def received(self, sent: Answered) -> Json:
        """As a modern server answers."""
        text = cast("dict[str, object]", sent.outbound.params["arguments"])["text"]
        result = {"resultType": "complete", "content": [{"type": "text", "text": text}], "isError": False}
        return {"jsonrpc": "2.0", "id": sent.outbound.id, "result": result}


class NoStream:
    """A caller who takes a whole answer."""

    streaming = False
    gone = False

    async def send_event(self, message: bytes) -> None:
        """Nothing is streamed here."""

    def keep_alive(self) -> None:
        """Nothing, either."""
