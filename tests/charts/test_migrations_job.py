"""The Jobs that bring the tables up to date around an upgrade."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from archway.all_commands import app
from tests.charts.conftest import KubernetesObject, Render
from tests.charts.matrix import MATRIX
from tests.charts.objects import of_kind

HOOK = "helm.sh/hook"


def container(job: KubernetesObject) -> dict[str, Any]:
    (found,) = job["spec"]["template"]["spec"]["containers"]
    return found


def test_tables_are_brought_up_to_date_before_anything_of_an_upgrade_is_made(render: Render) -> None:
    (job,) = of_kind(render({}), "Job")
    assert job["metadata"]["annotations"][HOOK] == "pre-install,pre-upgrade"
    assert "--contract" not in container(job)["args"]


def test_nothing_is_taken_away_but_after_the_upgrade_and_when_asked(render: Render) -> None:
    jobs = of_kind(render(MATRIX["upgrade without a way back"]), "Job")
    hooks = {job["metadata"]["annotations"][HOOK]: container(job)["args"] for job in jobs}
    assert hooks == {
        "pre-install,pre-upgrade": ["migrate", "--within=3600"],
        "post-install,post-upgrade": ["migrate", "--within=3600", "--contract", "--wait=3600"],
    }


def test_a_job_has_the_time_that_it_waits_and_the_time_that_it_works(render: Render) -> None:
    jobs = of_kind(render(MATRIX["upgrade without a way back"]), "Job")
    assert [job["spec"]["activeDeadlineSeconds"] - 120 for job in jobs] == [3600, 3600 + 3600]


def test_control_can_be_left_to_do_it(render: Render) -> None:
    assert of_kind(render(MATRIX["tables brought up to date by control"]), "Job") == []


def test_a_job_takes_nothing_that_the_chart_makes_only_after_it(render: Render) -> None:
    rendered = render(MATRIX["secrets of other names"])
    (job,) = of_kind(rendered, "Job")
    made = {one["metadata"]["name"] for one in rendered if one is not job}
    pod = job["spec"]["template"]["spec"]
    maps = {volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume}
    (variable,) = container(job)["env"]
    assert variable["valueFrom"]["secretKeyRef"] == {"name": "vault-connections", "key": "ARCHWAY_DATABASE_URL"}
    assert maps == {"company-ca"}
    assert not maps & made
    assert "serviceAccountName" not in pod
    assert pod["automountServiceAccountToken"] is False


def test_a_job_runs_what_control_is_about_to_run(render: Render) -> None:
    rendered = render(MATRIX["upgrade with proxies behind"])
    (job,) = of_kind(rendered, "Job")
    assert container(job)["image"] == "registry.example.com/archway:0.2.0"


def test_its_words_are_ones_that_the_command_knows(render: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCHWAY_DATABASE_URL", raising=False)
    for job in of_kind(render(MATRIX["upgrade without a way back"]), "Job"):
        ended = CliRunner().invoke(app, container(job)["args"])
        assert (ended.exit_code, "ARCHWAY_DATABASE_URL is not set" in ended.output) == (2, True)
