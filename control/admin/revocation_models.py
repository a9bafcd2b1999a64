"""Bodies of the admin API for revocations: what was ended, and who has applied it."""

from typing import Annotated, Literal

from pydantic import Field

from control.http.models import Moment, Query, View

Ended = Literal["token", "client", "grant", "user", "session", "client_session", "provider", "external_principal"]
LONGEST_WAIT_S = 20.0


class RevocationQuery(Query):
    """How long the answer may take."""

    wait: Annotated[
        float, Field(ge=0, le=LONGEST_WAIT_S, description="Seconds that workers are waited for, at most.")
    ] = 5.0


class SilentWorker(View):
    """A worker of a proxy that spoke within the last minute, and did not say in time that it has applied this."""

    worker: str
    host: str
    process: int
    heard_at: Moment = Field(description="When it spoke last, by its own clock.")


class Revocation(View):
    """The end of somebody's access. It holds, whoever has applied it."""

    kind: Ended
    id: str
    announced: bool = Field(description="Whether workers were told. If not, they are as soon as Redis is back.")
    applied: int = Field(description="Workers that have applied it, with calls and streams that were open.")
    silent: list[SilentWorker] = Field(description="Workers that did not say so within `wait`.")
    summary: str = Field(description="The same as a sentence.")
