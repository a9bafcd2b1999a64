"""Every metric of control: its name, its kind, its labels, what it says; docs/operating/metrics.md has the same.

Whatever counts takes the name from here. No label has a value that somebody outside gave.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Kind = Literal["counter", "gauge", "histogram"]
Outcome = Literal["renewed", "adopted", "away", "refused", "gone", "failed"]
"""How a renewal of an account ended. `adopted`: another control had the next token already. `away`: its provider gave
none, and nobody is signed out. `refused`: somebody has to sign in. `gone`: the installation is no more. `failed`: the
database was away, or there is a bug."""
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
ExchangeOutcome = Literal["exchanged", "away", "refused", "failed"]
"""How an exchange of a token for a caller ended. `away`: somebody gave no answer. `refused`: the provider, or the
server's authorization server, gave none to this caller. `failed`: the database was away, or there is a bug."""
EXCHANGE_OUTCOMES: Final[tuple[ExchangeOutcome, ...]] = get_args(ExchangeOutcome)
BOUNDS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper ends of the buckets of a duration, in seconds; the last bucket has none."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a control: its name, kind, help text and, where it has some, its labels, with all values of
    the last."""

    name: str
    kind: Kind
    says: str
    labels: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


RENEWALS: Final = Metric(
    "archway_account_renewals_total", "counter", "Renewals of accounts by how they ended.", ("outcome",), OUTCOMES
)
DURATIONS: Final = Metric(
    "archway_account_renewal_duration_seconds", "histogram", "From an account's turn to the end of its renewal."
)
UNDER_WAY: Final = Metric(
    "archway_account_renewals_under_way", "gauge", "Renewals that run, or wait for their turn at their provider."
)
FAILING: Final = Metric(
    "archway_accounts_failing",
    "gauge",
    "Accounts whose provider gives no new token now.",
)
WAITING: Final = Metric(
    "archway_account_revocations_waiting",
    "gauge",
    "Accounts that are gone, their provider not told yet.",
)
SERVERS: Final = Metric(
    "archway_servers",
    "gauge",
    "Servers that Archway runs, by phase.",
    ("phase",),
    ("pending", "pulling", "starting", "ready", "degraded", "failed", "stopping", "asleep"),
)
RESTARTS: Final = Metric(
    "archway_server_restarts",
    "gauge",
    "How often servers that Archway runs ended by themselves, since the latest change of each.",
)
EXCHANGES: Final = Metric(
    "archway_token_exchanges_total",
    "counter",
    "Tokens asked of identity providers for callers, by how that ended.",
    ("outcome",),
    EXCHANGE_OUTCOMES,
)
EGRESS: Final = Metric(
    "archway_egress_enforced",
    "gauge",
    "Whether egress rules hold, by environment and kind of rule: 1 is yes, 0 no, -1 not known.",
    ("environment", "kind"),
    ("off", "cidr", "domain", "all"),
)
METRICS: Final = (RENEWALS, DURATIONS, UNDER_WAY, FAILING, WAITING, RESTARTS, EXCHANGES, SERVERS, EGRESS)
