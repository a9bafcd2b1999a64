from datetime import UTC, datetime, timedelta

import pytest

from archway.admin.installations import BAD_PATH
from archway.doctor.local_run import check_running, cure_of
from archway.status.facts import Facts, InstallationFact, ProcessFact
from tests.house.tracked import ROOT


def installation(state, name="CRM", reason="CRM needs a credential.", discovered_at=""):
    return InstallationFact("1", name, "crm", "organisation", state, reason, "remote", discovered_at)


def facts(*installations, alive=True, running=True):
    return Facts("/s", running, None, None, None, None, [ProcessFact("proxy", 7, alive)], list(installations))


def test_what_runs_is_listed_as_looked_at():
    lines = [finding.line for finding in check_running(facts(installation("ready")))]
    assert lines == ["ok       1 processes run", "ok       installation CRM: ready"]


def test_one_that_needs_a_credential_is_told_how_to_give_it_and_not_to_discover_again():
    cure = cure_of(installation("needs_sign_in", "CRM of Sales"))
    assert "`archway installations update 'CRM of Sales' --credential`" in cure
    assert "--secret FIELD" in cure
    assert "discover" not in cure


@pytest.mark.parametrize("state", ["unreachable", "pending", "another"])
def test_one_whose_server_did_not_answer_is_told_how_to_ask_again(state):
    assert "`archway installations discover CRM`" in cure_of(installation(state))


@pytest.mark.parametrize("ago", [5, 12, 700])
def test_one_that_is_ready_says_when_its_server_was_asked_and_how_to_ask_again(ago):
    at = (datetime.now(UTC) - timedelta(minutes=ago)).isoformat()
    line = check_running(facts(installation("ready", "crm@Field Sales", discovered_at=at)))[-1].line
    assert line.startswith("ok       installation crm@Field Sales: ready (asked ")
    assert line.endswith(" ago; `archway installations discover 'crm@Field Sales'` asks again)")


@pytest.mark.parametrize("status", [404, 405])
def test_one_whose_server_answers_at_another_path_is_told_how_to_mend_the_entry(status):
    reason = f"crm answered with HTTP status {status}. Check the path of the URL."
    cure = cure_of(installation("unreachable", reason=reason))
    assert cure.startswith("`archway entries update crm --url URL` mends the path, and then ")
    assert "`archway installations discover CRM`" in cure
    assert "reached" not in cure


def test_one_whose_credential_was_refused_is_told_to_give_another():
    cure = cure_of(installation("credential_refused"))
    assert "`archway installations update CRM --credential`" in cure
    assert "discover" not in cure


def test_the_words_of_a_wrong_path_are_those_of_the_proxy():
    assert f'"{BAD_PATH}"' in (ROOT / "proxy/upstream/faults.py").read_text()


def test_what_is_not_ready_is_a_warning_with_its_reason():
    found = check_running(facts(installation("unreachable")))[-1]
    assert (found.level, found.why) == ("warning", "CRM needs a credential")


def test_a_dead_process_is_wrong_and_one_that_is_left_over_too():
    assert check_running(facts(alive=False))[0].what == "proxy (pid 7) is dead"
    assert "left over" in check_running(facts(running=False))[0].what
    assert not check_running(facts(alive=False, running=False))
