"""The servers that are run here once, against a small admin API of its own."""

import json
from pathlib import Path

import pytest

from archway.admin_client import Problem
from archway.up import first_servers as module
from archway.up.first_servers import FROM_NPM, FROM_PYPI, FirstServers, first_servers

ROOT = Path(__file__).parents[4]


class Api:
    """Remembers what was posted; installations become ready when `ready` says so."""

    def __init__(self):
        self.things = {"/entries": [], "/installations": [], "/gateways": [{"id": "g", "slug": "demo"}]}
        self.ready, self.away = True, 0

    def pages(self, path):
        return iter(list(self.things.setdefault(path, [])))

    def get(self, path):
        kind, _, wanted = path.rpartition("/")
        for thing in self.things[kind]:
            if thing["id"] == wanted:
                return thing | {"state": "ready" if self.ready else "pending"}
        raise Problem(404, "There is nothing here")

    def post(self, path, body):
        if self.away:
            self.away -= 1
            raise Problem(503, "away")
        made = {**body, "id": f"{path.strip('/')}-{len(self.things.setdefault(path, []))}"}
        self.things[path].append(made)
        return made


@pytest.fixture
def api():
    return Api()


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "first-servers.json"


@pytest.fixture
def notes():
    return []


@pytest.fixture
def install(api, kept, notes, monkeypatch):
    monkeypatch.setattr(module, "_LOOK_S", 0.0)
    monkeypatch.setattr(module, "_AGAIN_S", 0.0)
    monkeypatch.setattr(module, "_LOOKS", 20)

    async def run(path="/nowhere"):
        await FirstServers(api, kept, notes.append).run(first_servers(path))

    return run


async def test_the_one_from_pypi_is_run_as_its_program_and_put_on_the_demo_gateway(api, install, notes):
    await install()
    (entry,) = api.things["/entries"]
    assert (entry["kind"], entry["run"]["command"][0]) == ("self_hosted", FROM_PYPI)
    assert [one["tools"] for one in api.things["/gateways/g/assignments"]] == [["*"]]
    assert notes == ["Time, run here runs; its tools are on the gateway demo."]


def test_one_from_npm_is_run_where_its_program_is(tmp_path):
    npx = tmp_path / "npx"
    npx.touch(mode=0o755)
    assert [one.slug for one in first_servers(str(tmp_path))] == ["local-time", "everything"]
    assert [one.slug for one in first_servers("/nowhere")] == ["local-time"]


async def test_a_later_start_makes_nothing_again(api, install):
    await install()
    api.things = {"/entries": [], "/installations": [], "/gateways": []}
    await install()
    assert api.things["/entries"] == []


async def test_one_that_is_not_ready_yet_is_put_on_the_gateway_by_a_later_start(api, install):
    api.ready = False
    await install()
    assert "/gateways/g/assignments" not in api.things
    api.ready = True
    await install()
    assert len(api.things["/gateways/g/assignments"]) == 1
    assert len(api.things["/entries"]) == 1


async def test_one_that_somebody_deleted_meanwhile_is_let_be(api, kept, install):
    api.ready = False
    await install()
    api.things["/installations"] = []
    await install()
    assert json.loads(kept.read_text())["local-time"]["done"] is True


async def test_an_admin_api_that_is_away_for_a_moment_is_asked_again_and_that_is_said_once(api, install, notes):
    api.away = 2
    await install()
    assert len(api.things["/gateways/g/assignments"]) == 1
    assert notes[0].startswith("Time, run here could not be installed yet: ")
    assert len(notes) == 2


def test_the_version_from_npm_is_the_one_that_is_tested():
    tested = json.loads((ROOT / "tools" / "package.json").read_text())["dependencies"]
    name, _, version = FROM_NPM.rpartition("@")
    assert tested[name] == version
