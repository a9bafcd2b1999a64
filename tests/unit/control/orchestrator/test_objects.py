"""The objects of a server: their order, their names, and that nothing of a version of ours is in them."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.orchestrator.defaults import Defaults
from control.orchestrator.identity import INSTALLATION, INSTANCE
from control.orchestrator.objects import objects_of
from control.registry.self_hosted import USUAL, Resources
from control.servers.wanted import PullSecret, WantedServer
from tests.kube.kept_objects import KeptObjects
from tests.kube.kinds import BUILT_IN
from tests.kube.wanted_servers import DEFAULTS, GOLDEN, HTTP, STDIO
from tests.kubernetes_schemas import NEWEST_MINORS, said_against

LINES = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=30)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
FILES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,20}", fullmatch=True)
PULLS = st.builds(PullSecret, name=st.just("pull"), docker_config=st.just('{"auths": {}}'))
WANTED = st.builds(
    WantedServer,
    installation_id=st.uuids().map(str),
    entry=LINES,
    team_id=st.none() | st.uuids().map(str),
    generation=st.integers(1, 2**40),
    image=st.sampled_from(["", "registry.example/a:1"]),
    command=st.lists(LINES, max_size=4).map(tuple),
    transport=st.sampled_from(["stdio", "http"]),
    port=st.integers(1024, 65_535),
    path=st.just("/mcp"),
    health_path=st.sampled_from(["", "/well"]),
    environment=st.dictionaries(NAMES, LINES, max_size=4),
    secret_environment=st.dictionaries(NAMES, LINES, max_size=4),
    files=st.dictionaries(FILES, LINES, max_size=3),
    bridge_token=st.sampled_from(["", "token-of-the-bridge"]),
    resources=st.sampled_from([USUAL, Resources(cpu="1", memory="1Gi", memory_limit="2Gi", cpu_limit="2")]),
    pull_secrets=st.lists(PULLS, max_size=1).map(tuple),
    restarts_wanted=st.integers(0, 9),
)


def test_what_confines_a_pod_and_what_it_needs_are_there_before_it() -> None:
    kinds = [one["kind"] for one in objects_of(HTTP, DEFAULTS)]
    assert kinds == ["NetworkPolicy", "Secret", "Secret", "Deployment", "Service"]


def test_all_of_it_is_labelled_with_its_installation_and_our_instance() -> None:
    for one in objects_of(HTTP, DEFAULTS):
        labels = one["metadata"]["labels"]
        assert (labels[INSTALLATION], labels[INSTANCE]) == (HTTP.installation_id, DEFAULTS.instance_id)
        assert one["metadata"]["namespace"] == "servers"


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("version", NEWEST_MINORS)
def test_the_newest_versions_of_kubernetes_have_nothing_against_it(name: str, version: str) -> None:
    assert {said_against(one, version) for one in objects_of(*GOLDEN[name])} == {""}


@given(WANTED)
def test_an_api_server_takes_whatever_may_be_wanted(wanted: WantedServer) -> None:
    kept = KeptObjects()
    kinds = {one.name: one for one in BUILT_IN}
    kept.write((kinds["Namespace"], "", "servers"), {}, {})
    for one in objects_of(wanted, DEFAULTS):
        kept.write((kinds[one["kind"]], "servers", one["metadata"]["name"]), one, {})


@given(WANTED)
def test_equal_servers_have_equal_objects(wanted: WantedServer) -> None:
    twin = replace(wanted, environment=dict(reversed(list(wanted.environment.items()))))
    assert objects_of(wanted, DEFAULTS) == objects_of(twin, DEFAULTS)


def test_an_upgrade_of_ours_restarts_no_server() -> None:
    """Nothing that objects are made of knows our version; what is made is held by golden files."""
    told = {field.name for field in fields(Defaults)}
    assert told == {
        "instance_id", "namespace", "proxies_namespace", "base_image", "name_key", "node_selector", "tolerations"
    }  # fmt: skip
    pinned = replace(STDIO, base_image="registry.example/archway-base:1")
    after = replace(DEFAULTS, base_image="registry.example/archway-base:2")
    assert objects_of(pinned, after) == objects_of(pinned, DEFAULTS)
