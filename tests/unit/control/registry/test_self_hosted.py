import msgspec

from control.registry.entry import reached_of, told_of_reached
from control.registry.self_hosted import Resources, SelfHosted, what_runs

RUN = SelfHosted(
    command=("uvx", "time-server==1.2", "two words"), environment={"A": "b"}, mounted=("ca.pem",),
    resources=Resources(memory_limit="1Gi"), pull_secrets=("p1",),
)  # fmt: skip


def test_it_survives_its_row() -> None:
    told = told_of_reached(RUN)
    assert (told["kind"], told["url"], told["run"]["command"]) == ("self_hosted", "", list(RUN.command))
    assert reached_of(msgspec.json.decode(msgspec.json.encode(told))) == RUN


def test_what_runs_is_image_and_command_in_one_text_that_is_another_for_another() -> None:
    assert what_runs(RUN) == "run:base uvx time-server==1.2 'two words'"
    other = SelfHosted(command=("uvx", "time-server==1.2", "two", "words"))
    assert what_runs(other) != what_runs(RUN)
