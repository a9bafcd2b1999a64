"""Bodies of the admin API for servers that Archway runs: how one does, and which lines of its log are asked for."""

from typing import Any, Final

from pydantic import Field as Bound

from control.admin.enforcement_models import ServerEgressView
from control.http.models import Moment, Query, View
from control.registry.server_state import Phase, Place

MOST_LINES: Final = 5_000


class ServerView(View):
    """How the server of an installation does, where Archway runs it."""

    place: Place | None = Bound(description="Where servers run here: `process`, `cluster`, or null for nowhere.")
    phase: Phase
    cause: str = Bound(description="Why it is not ready, as a word; empty where nothing is wrong.")
    sentence: str = Bound(description="The cause in a sentence.")
    cure: str = Bound(description="What helps; empty where nothing has to be done.")
    message: str = Bound(description="What the place where it runs said, such as a registry's answer.")
    restarts: int = Bound(description="How often it ended by itself and was started again, since its latest change.")
    endpoint: str = Bound(description="Where proxies call it; empty until it has an address.")
    egress: ServerEgressView = Bound(description="What it may reach, and whether that holds.")
    isolation: str = Bound(description="How it is kept from others: `kubernetes`, `user`, `namespace` or `none`.")
    resolved: dict[str, Any] | None = Bound(
        description="What its start came to: the digest of its image, the versions of its packages."
    )
    generation: int = Bound(description="Of which change of the installation and its entry this was seen.")
    is_latest: bool = Bound(description="Whether that is the latest change; else the latest does not run yet.")
    newer_base_image: str = Bound(
        description="The base image that a restart would move it to; empty where there is none."
    )
    changed_at: Moment | None = Bound(description="When the phase or the cause last became another.")
    called_at: Moment | None = Bound(
        description="When it was last called, some two minutes late; null where it is not ended for want of calls."
    )
    asleep_since: Moment | None = Bound(description="Since when it is asleep; null while it runs, or is to run.")
    wakes: int = Bound(description="How often it was asleep and was wanted again.")


class LogQuery(Query):
    """Which lines of a server's log are shown."""

    lines: int = Bound(100, ge=1, le=MOST_LINES, description="How many of the latest.")
    previous: bool = Bound(False, description="Of the run before this one, as after a crash.")
    follow: bool = Bound(False, description="And those that come, until the reader leaves, or for an hour.")
