"""The record of a refusal at the door: of a caller who is known, before there is a call.

Made by `refused.py`; `proxy/records/at_the_door.py` says which refusals leave one. Leaves out calls, which
`proxy/stages/record.py` records, and callers who are not known.
"""

import time

from core.mcp.message import Request
from core.records import CallRecord
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.records.texts import sentence, short_name


def record_at_door(x: Exchange, deps: Deps) -> None:
    """Hand the record of a refusal before a call to the keeper, unless its caller has left enough of them."""
    left_out = deps.records.door.take(x.caller.key)
    if left_out is None:
        return
    gateway = x.gateway if x.gateway is not None else deps.gateways.held(x.gateway_name)
    issuer, subject = x.caller.at_provider
    deps.records.keep(
        CallRecord(
            id=x.request_id,
            time=x.time,
            duration_ms=int((time.perf_counter() - x.began) * 1_000_000 + 0.5) / 1000,
            request_id=x.request_id,
            decision="refused",
            status=x.status,
            method=x.message.method if isinstance(x.message, Request) else "",
            principal=x.caller.key,
            auth=x.caller.way,
            token_id=x.caller.credential.id,
            client=short_name(x.headers.get("user-agent", "")),
            address=x.address,
            gateway_id=gateway.snapshot.id if gateway is not None else "",
            gateway_revision=gateway.snapshot.revision if gateway is not None else 0,
            bytes_in=len(x.body),
            session=x.session.jti if x.session is not None else "",
            reason=sentence(x.reason),
            gateway_asked=short_name(x.gateway_name) if x.gateway is None else "",
            left_out=left_out,
            issuer=issuer,
            subject=subject,
        )
    )
