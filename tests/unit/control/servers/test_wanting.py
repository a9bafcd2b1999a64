from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from control.credentials.places import places_of
from control.registry.credential import StaticCredential
from control.registry.entry import Entry
from control.registry.fields import Field
from control.registry.idleness import Idleness
from control.registry.installation import Installation
from control.registry.owner import Organisation, TeamOwner
from control.registry.row_seals import OpenedSecrets
from control.registry.self_hosted import SelfHosted
from control.registry.server_url import server_place
from control.servers.runtime import Refused
from control.servers.wanted import WantedServer, of_a_process
from control.servers.wanting import wanted_server
from core.egress.addresses import ANYWHERE
from core.egress.rules import EgressRules
from tests.fakes.registry import BEARER, an_entry, an_installation

STDIO = SelfHosted(
    command=("npx", "-y", "files@1.0.0", "${user_config.folder}"), environment={"MODE": "fast"}, mounted=("ca.pem",)
)
FIELDS = (
    Field("folder", "string"),
    Field("region", "string", variable="REGION"),
    Field("token", "secret", variable="TOKEN"),
)
IN_A_VARIABLE = StaticCredential("variable", variable="API_KEY")
SECRETS = {"token": "t", "credential": "k"}


def wanted(
    run: SelfHosted = STDIO,
    *,
    secrets: dict[str, str] | None = None,
    opened: OpenedSecrets | None = None,
    **changes: Any,
) -> WantedServer:
    entry = an_entry(reached=run, **{"fields": FIELDS, "credential": IN_A_VARIABLE, **changes})
    of_installation = SECRETS if secrets is None else secrets
    installation = filled(entry, tuple(of_installation), restarts_wanted=3)
    given = opened or OpenedSecrets({}, of_installation, "b-token", {"KEY": "v", "ca.pem": "pem"})
    return wanted_server(entry, run, installation, given)


def filled(entry: Entry, secret_names: tuple[str, ...], **changes: Any) -> Installation:
    answers = {"folder": "/data", "region": "eu"}
    return an_installation(
        plain_values=answers, secret_names=secret_names, bound_places=places_of(entry),
        bound_url=server_place(entry, answers, ANYWHERE), **changes,
    )  # fmt: skip


def test_answers_and_secrets_are_where_the_entry_says() -> None:
    found = wanted()
    assert found.command == ("npx", "-y", "files@1.0.0", "/data")
    assert found.environment == {"MODE": "fast", "REGION": "eu"}
    assert found.secret_environment == {"KEY": "v", "TOKEN": "t", "API_KEY": "k"}
    assert found.files == {"ca.pem": "pem"}
    assert (found.bridge_token, found.port, found.path, found.restarts_wanted) == ("b-token", 8080, "/mcp", 3)


def test_no_secret_shows() -> None:
    assert not [one for one in ("'v'", "'t'", "'k'", "pem'", "b-token") if one in repr(wanted())]


def test_a_server_over_http_has_no_bridge_and_gets_its_credential_with_each_call() -> None:
    http = SelfHosted(transport="http", image="registry.test/a:1", port=9000, path="/x", health_path="/up")
    found = wanted(http, secrets={"credential": "k"}, fields=(), credential=BEARER, opened=OpenedSecrets(
        values={"credential": "k"}, bridge_token="b-token"
    ))  # fmt: skip
    assert (found.port, found.path, found.health_path, found.bridge_token) == (9000, "/x", "/up", "")
    assert (found.secret_environment, found.files) == ({}, {})


def test_what_misses_an_answer_or_a_credential_does_not_run_and_says_so() -> None:
    with pytest.raises(Refused, match="configuration: It has no credential yet"):
        wanted(secrets={"token": "t"})


def test_secrets_that_were_given_for_another_command_are_not_handed_to_this_one() -> None:
    entry = an_entry(reached=STDIO, fields=FIELDS)
    installation = filled(entry, ("token",))
    other = SelfHosted(command=("npx", "-y", "files@2.0.0", "${user_config.folder}"))
    with pytest.raises(Refused, match="configuration: Its secrets were given for something else"):
        wanted_server(an_entry(reached=other, fields=FIELDS), other, installation, OpenedSecrets({}, {"token": "t"}))


def test_a_team_is_told_and_the_organisation_is_none() -> None:
    entry = an_entry(reached=STDIO, fields=FIELDS[:2])
    for owner, team_id in ((TeamOwner("t1"), "t1"), (Organisation(), None)):
        assert wanted_server(entry, STDIO, filled(entry, (), owner=owner), OpenedSecrets()).team_id == team_id


def test_a_restart_is_another_generation_so_that_proxies_hear_of_another_process() -> None:
    entry = an_entry(reached=STDIO, fields=FIELDS, credential=IN_A_VARIABLE)
    made = [
        wanted_server(
            entry, STDIO, filled(entry, ("token", "credential"), restarts_wanted=number), OpenedSecrets({}, SECRETS)
        )
        for number in range(2)
    ]
    assert made[1].generation == made[0].generation + 1


def test_its_generation_rises_with_each_change_of_entry_and_answers() -> None:
    first = wanted().generation
    assert wanted(version=2).generation == first + 1


def test_what_means_nothing_to_a_process_does_not_restart_one() -> None:
    found = wanted()
    moved = replace(
        found, generation=9, environment_id="e", environment_name="Live", namespace="tools-a",
        egress=EgressRules(mode="off"), node_selector={"pool": "a"}, tolerations=({"key": "a"},), override="spec: {}",
    )  # fmt: skip
    assert of_a_process(moved) == of_a_process(found)
    assert of_a_process(replace(found, command=("other",))) != of_a_process(found)


@pytest.mark.parametrize(("minutes", "slept", "asleep"), [(5, True, True), (5, False, False), (0, True, False)])
def test_none_of_it_is_wanted_to_run_while_it_is_asleep_and_its_entry_says_so(
    minutes: int, slept: bool, asleep: bool
) -> None:
    entry = an_entry(reached=(run := SelfHosted(command=("x",), idle_minutes=minutes)))
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    idleness = Idleness(used_at=moment, asleep_since=moment if slept else None)
    found = wanted_server(entry, run, an_installation(idleness=idleness), OpenedSecrets({}, {}, "b", {}))
    assert found.asleep is asleep
