"""`archway status` of a deployment that is elsewhere."""

import json

import pytest
from typer.testing import CliRunner

from archway.admin_client import Problem, Unreachable
from archway.all_commands import app
from archway.status.deployment import look
from core.our_version import VERSION

TOLD = {"version": VERSION, "public_url": "https://mcp.example.com", "counts": {"users": 3, "gateways": 1}}
ENTRY = {"id": "e", "slug": "crm", "kind": "remote"}
INSTALLATION = {"id": "i", "entry_id": "e", "name": "crm@Support", "scope": "team", "state": "ready"}


class Api:
    url = "https://admin.example.com"

    def __init__(self, told=TOLD):
        self.told = told

    def get(self, _path):
        if isinstance(self.told, Exception):
            raise self.told
        return self.told

    def pages(self, path):
        return iter([ENTRY] if path == "/entries" else [INSTALLATION])


@pytest.fixture
def ready(monkeypatch):
    """What each address answers to /ready; '' is ready."""
    answers = {}
    monkeypatch.setattr("archway.status.deployment.why_not_ready", lambda url: answers.get(url, ""))
    return answers


@pytest.fixture
def elsewhere(monkeypatch, ready):
    monkeypatch.setenv("ARCHWAY_ADMIN_URL", Api.url)
    monkeypatch.setenv("ARCHWAY_ADMIN_TOKEN", "arch_x")
    api = Api()
    monkeypatch.setattr("archway.admin.connection.connect", lambda _: api)
    return api


def status(*words):
    return CliRunner().invoke(app, ["status", *words])


def test_listeners_version_counts_and_installations_are_shown(elsewhere):
    done = status()

    assert done.exit_code == 0
    assert "https://admin.example.com  ready" in done.output
    assert "https://mcp.example.com  ready" in done.output
    assert f"version       {VERSION}\n" in done.output
    assert "3 users, 1 gateways" in done.output
    assert "crm@Support" in done.output


@pytest.mark.parametrize("url", ["https://mcp.example.com", "https://admin.example.com"])
def test_a_listener_that_is_not_ready_is_named_and_ends_with_one(elsewhere, ready, url):
    ready[url] = "is not ready (503)"
    done = status()

    assert done.exit_code == 1
    assert f"{url}  is not ready (503)" in done.output


def test_a_control_plane_of_another_version_is_told(elsewhere):
    elsewhere.told = {**TOLD, "version": "9.9"}

    assert f"9.9, this command line {VERSION}" in status().output


@pytest.mark.parametrize("why", [Problem(401, "Unauthorized"), Unreachable("the admin API does not answer")])
def test_an_admin_api_that_tells_nothing_ends_with_one_and_its_reason(elsewhere, why):
    elsewhere.told = why
    done = status()

    assert done.exit_code == 1
    assert str(why) in done.output


def test_programs_get_all_of_it(elsewhere):
    told = json.loads(status("--json").output)

    assert told["listeners"][0] == {"name": "admin API", "url": Api.url, "trouble": ""}
    assert told["installations"][0]["runtime"] == "remote"
    assert (told["version"], told["counts"], told["trouble"]) == (VERSION, TOLD["counts"], None)


def test_a_state_folder_that_is_typed_is_meant_whatever_the_environment_says(elsewhere, tmp_path):
    assert "archway up --state" in status("--state", str(tmp_path)).output


def test_half_of_the_two_variables_is_said(monkeypatch):
    monkeypatch.setenv("ARCHWAY_ADMIN_URL", Api.url)
    monkeypatch.delenv("ARCHWAY_ADMIN_TOKEN", raising=False)
    done = status()

    assert done.exit_code == 1
    assert "ARCHWAY_ADMIN_TOKEN is not" in done.output


def test_a_deployment_is_healthy_when_its_api_answers_and_its_listeners_are_ready(ready):
    assert look(Api()).healthy
    ready["https://mcp.example.com"] = "does not answer: refused"
    assert not look(Api()).healthy
    assert not look(Api(Unreachable("no"))).healthy
