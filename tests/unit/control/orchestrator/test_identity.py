"""Names and labels are made of identifiers, and of what a person wrote only what a label may hold."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.orchestrator.identity import (
    ENTRY,
    TEAM,
    labels,
    metadata,
    namespace_of,
    selecting,
    server_name,
    shared_name,
)
from core.identifiers import new_id
from tests.kube.wanted_servers import DEFAULTS, HTTP, INSTALLATION, INSTANCE, PLACED
from tests.kube.wanted_servers import TEAM as TEAM_ID

LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")


def test_a_name_says_of_which_entry_it_is_and_of_which_installation() -> None:
    assert server_name("time", INSTALLATION) == "mcp-time-112233445566"


def test_what_all_servers_share_is_named_as_no_server_is() -> None:
    assert shared_name(INSTANCE, "baseline") == "archway-0000000000aa-baseline"
    assert server_name("baseline", INSTANCE).startswith("mcp-")


def test_a_server_is_in_the_namespace_of_its_environment_or_else_in_the_deployments_own() -> None:
    assert [namespace_of(one, DEFAULTS) for one in (PLACED, HTTP)] == ["tools-live", "servers"]
    assert metadata(PLACED, DEFAULTS)["namespace"] == "tools-live"


@given(st.text(max_size=300), st.uuids())
def test_a_name_is_a_label_whatever_the_entry_is_called(entry: str, identifier: object) -> None:
    name = server_name(entry, str(identifier))
    assert len(name) <= 57
    assert LABEL.fullmatch(name)


@given(st.text(max_size=300))
def test_a_label_of_the_entry_is_one_whatever_it_is_called(entry: str) -> None:
    value = labels(INSTANCE, INSTALLATION, entry, None)[ENTRY]
    assert len(value) <= 63
    assert LABEL_VALUE.fullmatch(value)


def test_two_that_are_made_at_the_same_moment_have_other_names() -> None:
    names = {server_name("time", new_id()) for _ in range(200)}
    assert len(names) == 200


@pytest.mark.parametrize("wrong", ["", "../../etc", "a" * 254, "0193a1b2-c3d4-7e5f-8a6b-11223344556\n"])
def test_what_is_no_identifier_is_in_no_name_and_no_label(wrong: str) -> None:
    with pytest.raises(ValueError):
        server_name("time", wrong)
    with pytest.raises(ValueError):
        selecting(INSTANCE, wrong)
    with pytest.raises(ValueError):
        selecting(wrong, INSTALLATION)
    if wrong:
        with pytest.raises(ValueError):
            labels(INSTANCE, INSTALLATION, "time", wrong)


def test_only_what_belongs_to_a_team_has_its_label() -> None:
    assert labels(INSTANCE, INSTALLATION, "time", TEAM_ID)[TEAM] == TEAM_ID
    assert TEAM not in labels(INSTANCE, INSTALLATION, "time", None)
