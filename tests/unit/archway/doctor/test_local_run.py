import pytest

from archway.doctor.local_run import check_running, cure_of
from archway.status.facts import Facts, InstallationFact, ProcessFact


def installation(state, name="CRM"):
    return InstallationFact("1", name, "crm", "organisation", state, "CRM needs a credential.", "remote")


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


def test_what_is_not_ready_is_a_warning_with_its_reason():
    found = check_running(facts(installation("unreachable")))[-1]
    assert (found.level, found.why) == ("warning", "CRM needs a credential")


def test_a_dead_process_is_wrong_and_one_that_is_left_over_too():
    assert check_running(facts(alive=False))[0].what == "proxy (pid 7) is dead"
    assert "left over" in check_running(facts(running=False))[0].what
    assert not check_running(facts(alive=False, running=False))
