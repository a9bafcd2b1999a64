import pytest

from control.registry.run_warnings import run_warnings
from control.registry.self_hosted import SelfHosted
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
