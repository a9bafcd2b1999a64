from __future__ import annotations

import pytest

from control.registry.environment import Quota
from control.registry.self_hosted import Resources
from control.registry.usage import Usage, cpu_told, memory_told, usage_of, why_over

GI = 1 << 30


def test_servers_count_with_what_entry_and_environment_say_of_them() -> None:
    assert usage_of(3, Resources(), None) == Usage(3, 30, 3 * (GI // 2))
    assert usage_of(2, Resources(cpu="0.5"), Resources(cpu="2", memory_limit="1Gi")) == Usage(2, 1_000, 2 * GI)
    assert Usage(1, 10, 100) + Usage(2, 20, 200) == Usage(3, 30, 300)


@pytest.mark.parametrize(
    ("quota", "before", "after", "why"),
    [
        (Quota(), Usage(), Usage(1_000, 10**9, 1 << 50), ""),
        (Quota(servers=3), Usage(2), Usage(3), ""),
        (Quota(servers=3), Usage(3), Usage(4), "servers: 3 used, 1 more asked for, 3 at most"),
        (Quota(cpu="1"), Usage(cpu=900), Usage(cpu=1_400),
         "processors set aside: 900m used, 500m more asked for, 1 at most"),
        (Quota(memory="1Gi"), Usage(memory=GI), Usage(memory=GI + (GI >> 1)),
         "memory limits: 1Gi used, 512Mi more asked for, 1Gi at most"),
        # Over it since it was lowered: what does not grow is left alone, and does not hold up what does not count.
        (Quota(servers=1), Usage(5), Usage(5), ""),
        (Quota(servers=1, cpu="1"), Usage(5, 10), Usage(4, 20), ""),
        (Quota(servers=1), Usage(5), Usage(6), "servers: 5 used, 1 more asked for, 1 at most"),
    ],
)  # fmt: skip
def test_a_quota_refuses_what_grows_over_it(quota: Quota, before: Usage, after: Usage, why: str) -> None:
    assert why_over(quota, before, after) == why


def test_two_of_its_limits_are_told_of_together() -> None:
    assert why_over(Quota(servers=1, memory="1Gi"), Usage(), Usage(2, 0, 2 * GI)).count(";") == 1


def test_amounts_are_told_as_kubernetes_writes_them() -> None:
    assert [cpu_told(one) for one in (0, 10, 1_000, 1_500)] == ["0", "10m", "1", "1500m"]
    assert [memory_told(one) for one in (0, GI, 512 << 20, 1 << 10, 500)] == ["0", "1Gi", "512Mi", "1Ki", "500"]
