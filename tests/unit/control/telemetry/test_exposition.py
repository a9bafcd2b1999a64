from __future__ import annotations

import re
from typing import get_args

from control.registry.server_state import Phase
from control.telemetry.exchange_counts import ExchangeCounts
from control.telemetry.exposition import MOST_STANDINGS, exposed
from control.telemetry.metrics import BOUNDS, EXCHANGE_OUTCOMES, METRICS, OUTCOMES, SERVERS
from control.telemetry.renewal_counts import RenewalCounts


def counted() -> RenewalCounts:
    counts = RenewalCounts()
    counts.note("renewed", 0.05)
    counts.note("away", 7.0)
    counts.note("refused", 100.0)
    return counts


def test_each_metric_is_told_with_its_kind_and_each_outcome_from_the_beginning() -> None:
    text = exposed(RenewalCounts(), 0, 0, 0, {}, 0, ExchangeCounts().ended, [("Staging", "off", 1)])
    assert re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE) == [(one.name, one.kind) for one in METRICS]
    for outcome in OUTCOMES:
        assert f'archway_account_renewals_total{{outcome="{outcome}"}} 0\n' in text
    for how in EXCHANGE_OUTCOMES:
        assert f'archway_token_exchanges_total{{outcome="{how}"}} 0\n' in text
    assert text.endswith("\n")


def test_a_bucket_holds_all_that_were_shorter() -> None:
    text = exposed(counted(), 0, 0, 0)
    buckets = re.findall(r'_bucket\{le="([^"]+)"\} (\d+)', text)
    assert [end for end, _ in buckets] == [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    assert dict(buckets) | {"0.1": "1", "5": "1", "10": "2", "30": "2", "+Inf": "3"} == dict(buckets)
    assert "archway_account_renewal_duration_seconds_sum 107.050000\n" in text
    assert "archway_account_renewal_duration_seconds_count 3\n" in text


def test_what_is_not_known_now_is_left_out() -> None:
    text = exposed(counted(), 4, None, None)
    assert "archway_account_renewals_under_way 4\n" in text
    assert "archway_accounts_failing" not in text
    assert "archway_account_revocations_waiting" not in text


def test_servers_are_told_by_phase_and_those_of_no_phase_as_none() -> None:
    text = exposed(RenewalCounts(), 0, 0, 0, {"ready": 2, "failed": 1}, 7)
    assert 'archway_servers{phase="ready"} 2\n' in text
    assert 'archway_servers{phase="pulling"} 0\n' in text
    assert "archway_server_restarts 7\n" in text
    assert "archway_servers" not in exposed(RenewalCounts(), 0, None, None)


def test_environments_are_told_by_kind_of_rule_whatever_their_names_are() -> None:
    text = exposed(RenewalCounts(), 0, 0, 0, egress=[("Staging", "off", 1), ('a "b" \\', "cidr", -1)])
    assert 'archway_egress_enforced{environment="Staging",kind="off"} 1\n' in text
    assert 'archway_egress_enforced{environment="a \\"b\\" \\\\",kind="cidr"} -1\n' in text


def test_no_more_environments_are_told_than_a_scrape_holds() -> None:
    text = exposed(RenewalCounts(), 0, 0, 0, egress=[("a", "off", 1)] * (MOST_STANDINGS + 1))
    assert text.count("archway_egress_enforced{") == MOST_STANDINGS


def test_the_phases_are_those_that_a_server_may_be_in() -> None:
    assert SERVERS.values == get_args(Phase)
