"""K-3: nothing that a person calls an entry, a file or a pull secret gets into a name or a label as it is.

The whole of what is made is written to the fake API server, which refuses what a real one would.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from control.orchestrator.identity import server_name
from control.orchestrator.objects import objects_of
from control.servers.runtime import Refused
from control.servers.wanted import PullSecret, WantedServer
from tests.kube.kept_objects import KeptObjects
from tests.kube.kinds import BUILT_IN
from tests.kube.wanted_servers import DEFAULTS, HTTP, TEAM

KINDS = {one.name: one for one in BUILT_IN}
OTHERS = replace(
    HTTP, installation_id="0193a1b2-c3d4-7e5f-8a6b-665544332211", team_id="0193a1b2-0000-7000-8000-0000000000dd"
)
THEIR_NAME = server_name(OTHERS.entry, OTHERS.installation_id)
INPUTS = [
    pytest.param("../../kube-system", id="K-3: ../"),
    pytest.param("a" * 254, id="K-3: 254 chars"),
    pytest.param("UPPER.Case_", id="K-3: upper case"),
    pytest.param(THEIR_NAME, id="K-3: other team's deployment name"),
    pytest.param("a\r\narchway.dev/team: x", id="K-3: label values with CR/LF"),
]


def written(wanted: WantedServer) -> KeptObjects:
    """What an API server has of it; raises what it refuses."""
    kept = KeptObjects()
    kept.write((KINDS["Namespace"], "", "servers"), {}, {})
    for one in objects_of(wanted, DEFAULTS):
        kept.write((KINDS[one["kind"]], "servers", one["metadata"]["name"]), one, {})
    return kept


def names(kept: KeptObjects) -> set[tuple[str, str]]:
    return {(kind.name, name) for kind, _, name in kept.all if kind.name != "Namespace"}


def labels(thing: Any) -> list[dict[str, str]]:
    """All labels and selectors in an object."""
    if isinstance(thing, list):
        return [one for item in thing for one in labels(item)]
    if not isinstance(thing, dict):
        return []
    found = [thing[key] for key in ("labels", "matchLabels") if key in thing]
    return [*found, *(one for value in thing.values() for one in labels(value))]


@pytest.mark.parametrize("text", INPUTS)
def test_what_an_entry_is_called_makes_no_name_of_anybody_elses(text: str) -> None:
    mine, theirs = written(replace(HTTP, entry=text)), written(OTHERS)
    assert not names(mine) & names(theirs)
    for thing in mine.all.values():
        for one in labels(thing):
            assert one.get("archway.dev/team", TEAM) == TEAM
            assert one.get("archway.dev/installation", HTTP.installation_id) == HTTP.installation_id


@pytest.mark.parametrize("text", INPUTS)
def test_what_an_installation_or_a_team_would_be_called_is_refused_unless_it_is_an_identifier(text: str) -> None:
    for wrong in (replace(HTTP, installation_id=text), replace(HTTP, team_id=text)):
        with pytest.raises(ValueError):
            objects_of(wrong, DEFAULTS)


@pytest.mark.parametrize("text", INPUTS)
def test_a_pull_secret_that_others_keep_is_named_only_by_what_may_be_its_name(text: str) -> None:
    with pytest.raises(Refused):
        objects_of(replace(HTTP, pull_secrets=(PullSecret(name=text),)), DEFAULTS)


@pytest.mark.parametrize("text", [INPUTS[0], INPUTS[-1]])
def test_a_file_is_one_segment_of_a_path(text: str) -> None:
    with pytest.raises(Refused):
        objects_of(replace(HTTP, files={text: "x"}), DEFAULTS)
