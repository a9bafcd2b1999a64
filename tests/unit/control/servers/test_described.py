from datetime import UTC, datetime

from control.registry.environment import Environment
from control.registry.fields import Field
from control.registry.row_seals import OpenedSecrets
from control.registry.self_hosted import Resources, SelfHosted
from control.servers.described import described
from control.servers.wanted import WantedServer
from tests.fakes.registry import an_entry

NOW = datetime(2026, 11, 30, tzinfo=UTC)
LIVE = Environment(
    id="e", name="Live", namespace="tools-a", node_selector={"pool": "a"}, tolerations=({"key": "a"},),
    resources=Resources(memory_limit="2Gi"), created_at=NOW, updated_at=NOW, version=1,
)  # fmt: skip


def of(run: SelfHosted, where: Environment | None = None) -> WantedServer:
    entry = an_entry(reached=run, fields=(Field("region", "string", variable="REGION"),))
    return described("i", entry, run, {"region": "eu"}, OpenedSecrets(bridge_token="b"), where)


def test_it_stands_where_its_environment_says_with_what_that_gives_it() -> None:
    found = of(SelfHosted(command=("x",)), LIVE)
    assert (found.environment_id, found.environment_name, found.namespace) == ("e", "Live", "tools-a")
    assert (found.node_selector, found.tolerations) == ({"pool": "a"}, ({"key": "a"},))
    assert found.resources.memory_limit == "2Gi"


def test_what_the_entry_says_of_its_resources_goes_before_the_environment() -> None:
    run = SelfHosted(command=("x",), resources=Resources(memory_limit="1Gi"))
    assert of(run, LIVE).resources.memory_limit == "1Gi"


def test_of_no_environment_it_stands_where_the_deployment_says() -> None:
    found = of(SelfHosted(command=("x",)))
    assert (found.environment_id, found.namespace, found.node_selector) == (None, "", {})


def test_its_command_waits_for_answers_and_its_variables_have_them() -> None:
    found = of(SelfHosted(command=("x", "${user_config.region}")))
    assert found.command == ("x", "${user_config.region}")
    assert found.environment == {"REGION": "eu"}
    assert (found.team_id, found.generation) == (None, 1)
