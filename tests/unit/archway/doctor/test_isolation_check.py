import os

import pytest

from archway.doctor import isolation_check
from archway.doctor.isolation_check import check_isolation
from control.processes.isolation import Isolation, NoIsolation


def found(monkeypatch, word, *, own_root):
    isolation = Isolation(word, own_root=own_root, users=range(0), shown=())
    monkeypatch.setattr(isolation_check, "find_isolation", lambda *_: isolation)
    (finding,) = check_isolation({})
    return finding


def test_what_this_machine_grants_is_told():
    (finding,) = check_isolation({})
    word = "user" if os.geteuid() == 0 else "namespace"
    assert finding.what.startswith(f"servers that run as processes have `isolation: {word}` here")


@pytest.mark.parametrize(
    ("word", "own_root", "level", "said"),
    [
        ("user", True, "ok", "sees little of the machine"),
        ("namespace", True, "ok", "sees little of the machine"),
        ("user", False, "warning", "see the whole machine"),
        ("none", False, "warning", "they may do what you may"),
    ],
)
def test_less_than_all_is_worth_knowing(monkeypatch, word, own_root, level, said):
    finding = found(monkeypatch, word, own_root=own_root)
    assert (finding.level, f"isolation: {word}" in finding.what) == (level, True)
    assert said in finding.what


def test_a_machine_on_which_nothing_may_run_so_has_a_cure(monkeypatch):
    def as_root_alone(*_):
        raise NoIsolation("servers would have to run as root here: setresuid: Invalid argument")

    monkeypatch.setattr(isolation_check, "find_isolation", as_root_alone)
    (finding,) = check_isolation({})
    assert (finding.level, "as root" in finding.why) == ("warning", True)
    assert "ARCHWAY_SERVERS_FOLDER" in finding.cure


def test_a_setting_that_is_none_is_told_elsewhere():
    assert check_isolation({"ARCHWAY_SERVERS_USERS": "root"}) == []
