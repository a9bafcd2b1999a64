import pytest

from archway.doctor import far_run
from archway.doctor.far_run import check_deployment
from archway.status.deployment import Deployment, ListenerFact
from archway.status.facts import InstallationFact

THERE = {"ARCHWAY_ADMIN_URL": "http://127.0.0.1:1/api/v1", "ARCHWAY_ADMIN_TOKEN": "arch_secret"}


@pytest.mark.parametrize("environment", [{}, {"ARCHWAY_ADMIN_URL": " "}])
def test_nobody_is_asked_where_nothing_says_whom(environment):
    assert check_deployment(environment, must=True) == []


@pytest.mark.parametrize(("there", "missing"), [("URL", "TOKEN"), ("TOKEN", "URL")])
def test_one_variable_without_the_other_is_wrong(there, missing):
    (finding,) = check_deployment({f"ARCHWAY_ADMIN_{there}": "x"}, must=True)
    assert finding.what == f"ARCHWAY_ADMIN_{there} is set and ARCHWAY_ADMIN_{missing} is not"


def test_an_admin_api_that_does_not_answer_is_wrong_and_the_token_is_not_told():
    found = check_deployment(THERE, must=True)
    assert all(finding.wrong for finding in found)
    assert {finding.level for finding in check_deployment(THERE, must=False)} == {"warning"}
    assert "arch_secret" not in "".join(finding.line for finding in found)


def test_listeners_and_installations_have_a_line_each(monkeypatch):
    installation = InstallationFact("1", "CRM", "crm", "organisation", "needs_sign_in", "A key is missing.", "remote")
    listeners = [ListenerFact("admin API", "http://a", ""), ListenerFact("gateways", "http://g", "HTTP 503")]
    monkeypatch.setattr(far_run, "look", lambda _: Deployment(listeners, "0.1.0", installations=[installation]))
    admin, gateways, crm = check_deployment(THERE, must=True)
    assert (admin.level, gateways.level, crm.level) == ("ok", "failed", "warning")
    assert "--credential" in crm.cure
