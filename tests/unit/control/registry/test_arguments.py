import pytest

from control.registry.arguments import argument_places, filled_command, why_no_argument
from control.registry.broken_rule import BrokenRule

COMMAND = ("npx", "-y", "files@1.0.0", "${user_config.folder}", "--depth", "${user_config.depth}")


def test_a_placeholder_is_one_whole_argument() -> None:
    assert argument_places(COMMAND) == ("folder", "depth")
    assert filled_command(COMMAND, {"folder": "/a b; rm -rf $HOME", "depth": "3"}) == (
        "npx", "-y", "files@1.0.0", "/a b; rm -rf $HOME", "--depth", "3",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (("npx", "--root=${user_config.folder}"), "run.command[1]"),
        (("npx", "${user_config.folder}/x"), "run.command[1]"),
        (("npx", "${user_config.Folder}"), "run.command[1]"),
        (("npx", "${user_config}"), "run.command[1]"),
        (("${user_config.program}", "x"), "run.command[0]"),
        (("npx", "${user_config.a}", "${user_config.a}"), "run.command[2]"),
    ],
)
def test_a_placeholder_stands_nowhere_else(command: tuple[str, ...], field: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        argument_places(command)
    assert refused.value.field == field


def test_what_only_looks_like_one_is_the_programs_own() -> None:
    assert argument_places(("sh", "-c", "echo ${HOME} $user_config")) == ()


@pytest.mark.parametrize("answer", ["", "-", "--config=/etc/passwd", "a\nb", "a\0b", "x" * 4_097])
def test_an_answer_that_is_no_argument_is_refused_and_not_repeated(answer: str) -> None:
    wrong = why_no_argument(answer)
    assert wrong is not None
    assert len(answer) < 4 or answer not in wrong
    with pytest.raises(BrokenRule, match=r"values\.folder"):
        filled_command(COMMAND, {"folder": answer, "depth": "3"})


def test_an_answer_that_is_not_there_is_asked_for() -> None:
    with pytest.raises(BrokenRule, match=r"values\.depth: is needed"):
        filled_command(COMMAND, {"folder": "/a"})
