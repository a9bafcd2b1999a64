from pathlib import Path

import pytest

from archway.up.first_call import FirstCall
from archway.up.summary import end_sentence, summary

CALL = FirstCall("http://127.0.0.1:8400/v1/mcp/demo", "arch_x", "time__get_current_time", {})


def test_url_token_and_one_command_are_shown():
    text = summary(Path("/s"), "http://127.0.0.1:8401", CALL, None)

    assert CALL.gateway_url in text
    assert CALL.command in text.splitlines()
    assert set(CALL.in_our_words) <= {line.strip() for line in text.splitlines()}


def test_how_everything_is_ended_is_said():
    text = summary(Path("/s"), "http://127.0.0.1:8401", CALL, None, end="Ctrl-C ends it; the data stays.")

    assert "Archway runs. Ctrl-C ends it; the data stays." in text


def test_in_which_form_workers_run_is_said():
    text = summary(Path("/s"), "http://127.0.0.1:8401", CALL, None, workers="interpreted")

    assert "  Workers    interpreted" in text.splitlines()


def test_a_first_call_that_did_not_work_shows_no_command():
    text = summary(Path("/s"), "http://127.0.0.1:8401", CALL, "HTTP 404")

    assert "HTTP 404" in text
    assert "curl" not in text


def test_what_is_gone_is_said_instead_of_a_dead_command():
    text = summary(Path("/s"), "http://127.0.0.1:8401", None, None, "the demo gateway was deleted")

    assert "the demo gateway was deleted" in text
    assert "curl" not in text


@pytest.mark.parametrize(
    ("root", "foreground", "words"),
    [
        (Path(".archway").absolute(), False, "`archway down` ends it"),
        (Path("/srv/archway"), False, "`archway down --state /srv/archway` ends it"),
        (Path("/srv/my folder"), False, "`archway down --state '/srv/my folder'` ends it"),
        (Path("/srv/archway"), True, "Ctrl-C ends it"),
    ],
)
def test_what_ends_a_run_in_another_folder_names_the_folder(root, foreground, words):
    assert end_sentence(root, foreground=foreground).startswith(words)


def test_the_link_for_the_admin_is_shown_and_that_it_is_good_once():
    text = summary(Path("/s"), "http://127.0.0.1:8401", CALL, None, sign_in="http://127.0.0.1:8400/sign-in/link/x")

    assert "  Sign in    http://127.0.0.1:8400/sign-in/link/x (as the admin, once)" in text.splitlines()
    assert "Sign in" not in summary(Path("/s"), "http://127.0.0.1:8401", CALL, None)


def test_servers_that_are_being_started_are_named():
    text = summary(Path("/s"), "http://127.0.0.1:8401", CALL, None, servers=["Time, run here", "Everything"])

    assert "  Servers    Time, run here, Everything: being started; `archway status` says how they do" in text
