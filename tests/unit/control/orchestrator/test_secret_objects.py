"""Secrets of a server: named for their content, told by no name, and made for whom they are."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from control.orchestrator.identity import TEAM
from control.orchestrator.secret_objects import content_name, pull_name, secret_objects, without_secrets
from control.servers.runtime import Refused
from control.servers.wanted import PullSecret
from tests.kube.wanted_servers import BARE, DEFAULTS, HTTP, STDIO

OTHER = "0193a1b2-c3d4-7e5f-8a6b-665544332211"


def content(secret: dict[str, Any]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


def test_variables_files_and_the_token_of_the_bridge_are_in_one_secret() -> None:
    (secret,) = secret_objects(STDIO, DEFAULTS)
    assert secret["immutable"] is True
    assert content(secret) == {"bridge-token": "canary-of-the-bridge-token", "variable-0": "canary-of-the-variable"}
    assert content(secret_objects(HTTP, DEFAULTS)[0])["file-1"] == "canary-of-the-file"


def test_a_server_that_needs_none_has_none() -> None:
    assert secret_objects(BARE, DEFAULTS) == []


def test_other_content_is_another_secret_and_the_same_is_the_same() -> None:
    other = replace(STDIO, secret_environment={"API_KEY": "another"})
    later = replace(STDIO, generation=99, restarts_wanted=7, environment={})
    assert content_name(other, DEFAULTS) != content_name(STDIO, DEFAULTS)
    assert content_name(later, DEFAULTS) == content_name(STDIO, DEFAULTS)


def test_equal_content_of_two_installations_or_under_another_key_has_names_that_tell_nothing() -> None:
    names = {
        content_name(STDIO, DEFAULTS)[-10:],
        content_name(replace(STDIO, installation_id=OTHER), DEFAULTS)[-10:],
        content_name(STDIO, replace(DEFAULTS, name_key=b"x" * 32))[-10:],
    }
    assert len(names) == 3


def test_a_secret_that_pulls_has_the_label_of_its_team_and_a_personal_one_has_none() -> None:
    pulls = [one for one in secret_objects(HTTP, DEFAULTS) if one["type"] == "kubernetes.io/dockerconfigjson"]
    assert [one["metadata"]["labels"].get(TEAM) for one in pulls] == [HTTP.team_id]
    assert content(pulls[0]) == {".dockerconfigjson": HTTP.pull_secrets[0].docker_config}
    personal = secret_objects(replace(HTTP, team_id=None), DEFAULTS)
    assert all(TEAM not in one["metadata"]["labels"] for one in personal)


def test_a_renewed_password_of_a_registry_changes_no_name() -> None:
    renewed = replace(HTTP.pull_secrets[0], docker_config='{"auths": {"registry.example": {"auth": "eA=="}}}')
    wanted = replace(HTTP, pull_secrets=(renewed, HTTP.pull_secrets[1]))
    assert pull_name(wanted, renewed) == pull_name(HTTP, HTTP.pull_secrets[0])


@pytest.mark.parametrize("name", ["", "../a", "A", "a" * 254, "a\r\nb"])
def test_a_name_that_no_secret_can_have_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        pull_name(HTTP, PullSecret(name=name))
    assert refused.value.cause == "pull_secret_missing"


def test_what_a_program_said_has_no_value_of_its_secrets() -> None:
    redact = without_secrets(secret_objects(STDIO, DEFAULTS))
    assert redact("key canary-of-the-variable refused") == "key [redacted] refused"
    assert without_secrets([])("key") == "key"


def test_no_secret_is_shown_with_what_it_is_made_of() -> None:
    assert "canary" not in repr(STDIO)
    assert "canary" not in repr(HTTP)
