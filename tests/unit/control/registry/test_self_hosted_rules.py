from typing import Any

import pytest
from msgspec.structs import replace

from control.registry.broken_rule import BrokenRule
from control.registry.self_hosted import Resources, SelfHosted
from control.registry.self_hosted_rules import check_run, check_run_secrets
from control.registry.targets import Target

STDIO = SelfHosted(command=("npx", "-y", "server@1.0.0", "${user_config.folder}"))
HTTP = SelfHosted(transport="http", image="registry.test/server:1")


def test_a_command_on_the_base_image_can_be_saved() -> None:
    checked = check_run(replace(STDIO, environment={"A": "b"}, mounted=("ca.pem",)), ("KEY", "ca.pem"))
    assert checked.places == ("folder",)
    assert set(checked.taken) == {Target("variable", "A"), Target("variable", "KEY"), Target("file", "ca.pem")}


def test_an_image_that_speaks_http_needs_no_command() -> None:
    assert check_run(HTTP, ()).run == HTTP


@pytest.mark.parametrize(
    ("run", "changes", "field"),
    [
        (STDIO, {"command": ()}, "run.command"),
        (STDIO, {"command": (), "image": "registry.test/a:1"}, "run.command"),
        (STDIO, {"command": ("npx",) * 65}, "run.command"),
        (STDIO, {"command": ("npx", "a\nb")}, "run.command[1]"),
        (STDIO, {"command": ("npx", "a" * 4_097)}, "run.command[1]"),
        (STDIO, {"command": ("-y", "x")}, "run.command[0]"),
        (STDIO, {"command": (" ", "x")}, "run.command[0]"),
        (STDIO, {"health_path": "/healthz"}, "run.health_path"),
        (STDIO, {"pull_secrets": ("p1",)}, "run.pull_secrets"),
        (HTTP, {"image": "https://registry.test/a"}, "run.image"),
        (HTTP, {"pull_secrets": ("p1", "p1")}, "run.pull_secrets"),
        (HTTP, {"pull_secrets": tuple("abcdefghi")}, "run.pull_secrets"),
        (HTTP, {"path": "mcp"}, "run.path"),
        (HTTP, {"path": "/mcp?x=1"}, "run.path"),
        (HTTP, {"path": ""}, "run.path"),
        (HTTP, {"health_path": "healthz"}, "run.health_path"),
        (HTTP, {"port": 80}, "run.port"),
        (HTTP, {"port": 65_536}, "run.port"),
        (HTTP, {"resources": Resources(memory="much")}, "run.resources.memory"),
        (HTTP, {"environment": {"LD_PRELOAD": "/x.so"}}, "run.environment[0]"),
        (HTTP, {"environment": {"A": "b\0"}}, "run.environment.A"),
        (HTTP, {"environment": {f"V{number}": "" for number in range(65)}}, "run.environment"),
        (HTTP, {"mounted": ("ca.pem",)}, "run.mounted"),
        (STDIO, {"idle_minutes": 4}, "run.idle_minutes"),
        (STDIO, {"idle_minutes": 10_081}, "run.idle_minutes"),
        (STDIO, {"idle_minutes": -1}, "run.idle_minutes"),
    ],
)
def test_what_could_not_run_is_refused_at_its_field(run: SelfHosted, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        check_run(replace(run, **changes), ())
    assert refused.value.field == field


@pytest.mark.parametrize("minutes", [0, 5, 10_080])
def test_a_server_may_be_ended_when_it_is_idle_from_five_minutes_to_a_week(minutes: int) -> None:
    assert check_run(replace(STDIO, idle_minutes=minutes), ()).run.idle_minutes == minutes


def test_a_variable_has_one_source() -> None:
    with pytest.raises(BrokenRule, match=r"run_secrets\.KEY: is in the entry's environment already"):
        check_run(replace(STDIO, environment={"KEY": "x"}), ("KEY",))


def test_secrets_are_variables_or_where_it_is_said_files() -> None:
    assert list(check_run_secrets({"b.pem": "x", "A": "y"}, ("b.pem",))) == ["A", "b.pem"]
    with pytest.raises(BrokenRule, match=r"run_secrets\[0\]: must be 1 to 64 letters"):
        check_run_secrets({"b.pem": "x"}, ())


@pytest.mark.parametrize("secrets", [{"KEY": "s3cr\0t"}, {"KEY": ""}, {f"K{one}": "s3cr3t" for one in range(17)}])
def test_a_secret_that_cannot_be_kept_is_refused_and_not_repeated(secrets: dict[str, str]) -> None:
    with pytest.raises(BrokenRule, match="run_secrets") as refused:
        check_run_secrets(secrets, ())
    assert "s3cr" not in str(refused.value)
