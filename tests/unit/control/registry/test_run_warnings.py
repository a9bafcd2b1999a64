import pytest

from control.registry.run_warnings import run_warnings
from control.registry.self_hosted import SelfHosted
from core.egress.held import Held
from core.egress.rules import Allowed, EgressMode, EgressRules
from tests.fakes.registry import an_entry


@pytest.mark.parametrize(
    ("run", "word"),
    [
        (SelfHosted(command=("npx", "-y", "@scope/server")), "@scope/server@1.2.3"),
        (SelfHosted(command=("uvx", "server")), "server==1.2.3"),
        (SelfHosted(transport="http", image="registry.test/server"), "registry.test/server has no version"),
        (SelfHosted(transport="http", image="registry.test/server:latest"), "a digest"),
    ],
)
def test_what_may_be_another_at_each_start_is_told_with_the_cure(run: SelfHosted, word: str) -> None:
    (told,) = run_warnings(an_entry(reached=run))
    assert word in told


@pytest.mark.parametrize(
    "run",
    [
        SelfHosted(command=("npx", "-y", "@scope/server@1.2.3")),
        SelfHosted(transport="http", image="registry.test/server:1.2"),
        SelfHosted(transport="http", image=f"registry.test/server@sha256:{'0' * 64}"),
    ],
)
def test_what_is_the_same_at_each_start_is_not_talked_about(run: SelfHosted) -> None:
    assert run_warnings(an_entry(reached=run)) == []


def test_nor_is_a_server_elsewhere() -> None:
    assert run_warnings(an_entry()) == []


@pytest.mark.parametrize(
    ("mode", "domains", "count"),
    [("off", (), 1), ("restricted", (), 1), ("restricted", ("registry.example.com",), 0), ("all", (), 0)],
)
def test_what_is_fetched_at_each_start_is_warned_of_where_no_host_is_allowed(
    mode: EgressMode, domains: tuple[str, ...], count: int
) -> None:
    rules = EgressRules(mode=mode, allowed=(Allowed(cidrs=("10.0.0.0/8",), domains=domains),))
    entry = an_entry(reached=SelfHosted(command=("npx", "-y", "files@1.0.0")), held=Held(rules, "Staging"))
    told = run_warnings(entry)
    assert len(told) == count
    assert all("Staging" in one and "files@1.0.0" in one for one in told)


def test_of_a_process_it_is_said_that_its_policy_is_not_enforced() -> None:
    entry = an_entry(
        reached=SelfHosted(command=("npx", "-y", "files@1.0.0")), held=Held(EgressRules("off"), "Staging")
    )
    (told,) = run_warnings(entry, "process")
    assert told.startswith(
        "The egress policy of the environment Staging is not enforced for it: it runs as a process"
    )
    assert not any("not enforced" in one for one in run_warnings(entry, "cluster"))
