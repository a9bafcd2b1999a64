"""Questions from control to a proxy: what would become of this call? And the answers, stage by stage.

Asked by `control/explain/`, answered by `proxy/explaining/` on the internal listener, beside probes
(`core/probes.py`). Control says who calls, as it has found out; the proxy runs the stages of its pipeline dry. No
secret is in either: of a header there is a name and no value.
"""

from typing import Literal

import msgspec

from core.resolve import CallerVerdict, InstallationAnswer

PATH = "/internal/explain"
Outcome = Literal["passed", "refuses", "not_reached", "at_the_call"]
"""`at_the_call`: whether this stage lets a call through is known only when there is one."""
HeaderOf = Literal["credential", "entry", "caller", "arguments", "archway"]
"""Where a header for the server comes from: the installation's credential and answers, the entry's own headers, the
caller's headers that the gateway passes on, arguments that it mirrors, Archway itself."""


class ExplainQuestion(msgspec.Struct, frozen=True, omit_defaults=True):
    """What would become of a call of this tool, by this caller?"""

    gateway_id: str
    """'' for one that is not there, or of which the asker may not know."""
    verdict: CallerVerdict
    """Who calls, as control would say of their credential."""
    tool: str
    arguments: str = "{}"
    """A JSON object, as a client would send it."""
    answer: InstallationAnswer | None = None
    """Which installation serves the call; None before the tool is known, which only the stages can say. In place of
    each header's value stands a blank one."""
    unsettled: str = ""
    """Why the credential is known only at the call, though the installation is; '' where it is known."""


class StageTold(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one stage of the pipeline would do."""

    stage: str
    """Its name in `proxy/pipeline.py`."""
    outcome: Outcome
    why: str = ""
    """A sentence: the refusal's own, or what is not known before the call."""


class HeaderTold(msgspec.Struct, frozen=True):
    """A header that the server would get."""

    name: str
    """Lower case."""
    of: HeaderOf


class Explained(msgspec.Struct, frozen=True, omit_defaults=True):
    """What would become of the call."""

    stages: list[StageTold]
    """Every stage, in the pipeline's order."""
    reason: str = ""
    """The reason word of the refusal; '' where nothing refuses."""
    sentence: str = ""
    """What the caller would get, word for word."""
    status: int = 200
    """Of HTTP."""
    link: str = ""
    gateway_revision: int = 0
    assignment_id: str = ""
    """Of the tool that would be called; '' before it is known."""
    tool: str = ""
    """Its name on the gateway: of a call of `run_tool` the tool that that names."""
    upstream: str = ""
    """Its server's own name for it."""
    server: str = ""
    """The entry's slug."""
    asks_for_installation: bool = False
    """Whether the stages came to where they need `ExplainQuestion.answer`."""
    headers: list[HeaderTold] = []
    """Beside those that every call has."""
    era: Literal["", "legacy", "modern"] = ""
    """Which the server is known to speak; '' where it is asked first."""
    deadline_s: float = 0
    """Of the call; its progress may extend it."""
    calls_at_once: int = 0
    """That one worker has with this server, of all callers."""


def blank(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers without their values."""
    return [(name, "") for name, _ in headers]
