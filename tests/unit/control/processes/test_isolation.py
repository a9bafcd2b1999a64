import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from control.processes import isolation
from control.processes.isolation import (
    Isolation,
    NoIsolation,
    confinement,
    end_all_of,
    find_isolation,
    processes_of,
    user_for,
    what_is_shown,
)
from control.processes.layout import open_layout

ROOT = os.geteuid() == 0
USERS = range(1_900_000_000, 1_900_000_003)
only_root = pytest.mark.skipif(not ROOT, reason="only root can be another user")


@pytest.fixture
def layout(tmp_path):
    return open_layout(tmp_path / "servers")


@pytest.fixture
def own_users():
    return Isolation("user", own_root=True, users=USERS, shown=())


def test_the_best_that_the_machine_allows_is_found(layout):
    found = find_isolation(layout, USERS, ())
    assert (found.word, found.own_root, found.users) == (
        ("user", True, USERS) if ROOT else ("namespace", True, range(0))
    )
    assert list((layout.root / "homes").iterdir()) == []


@only_root
def test_servers_are_never_run_as_root_where_no_other_user_can_be_had(layout, monkeypatch):
    monkeypatch.setattr(isolation, "_why_not", lambda *_: "setresuid: Invalid argument")
    with pytest.raises(NoIsolation, match="setresuid: Invalid argument"):
        find_isolation(layout, USERS, ())


def test_where_the_kernel_makes_no_namespaces_others_than_root_are_told_that_there_is_none(layout, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(isolation, "_why_not", lambda tried, _: "unshare: refused" if tried.own_root else "")
    found = find_isolation(layout, USERS, ())
    assert (found.word, found.own_root, found.users) == ("none", False, range(0))


@only_root
def test_a_server_keeps_its_user_and_no_two_have_the_same(layout, own_users):
    drawn = []
    for _ in range(3):
        name = str(uuid4())
        user = user_for(own_users, layout, name)
        layout.make_home(name, user, {})
        assert user_for(own_users, layout, name) == user
        drawn.append(user)
    assert sorted(drawn) == list(USERS)
    with pytest.raises(NoIsolation, match="ARCHWAY_SERVERS_USERS"):
        user_for(own_users, layout, str(uuid4()))


def test_without_users_a_server_is_us(layout):
    assert user_for(Isolation("namespace", own_root=True, users=range(0), shown=()), layout, str(uuid4())) is None


@only_root
def test_all_of_a_users_processes_are_found_and_ended(layout):
    layout.make_home("try", USERS[0], {})
    plan = confinement(Isolation("user", own_root=False, users=USERS, shown=()), layout, Path("/"), USERS[0])
    with subprocess.Popen(plan.command(["sh", "-c", "echo up; exec sleep 600"]), stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"up\n"
        assert len(processes_of(USERS[0])) == 1
        end_all_of(USERS[0])
        assert process.wait(60) == 143
    assert processes_of(USERS[0]) == []


def test_the_folder_that_holds_ours_is_hidden_too_where_it_is_closed(tmp_path, own_users):
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "open").mkdir(mode=0o755)
    hidden = []
    for name in ("state", "open"):
        layout = open_layout(tmp_path / name / "servers")
        hidden += confinement(own_users, layout, layout.home("x"), None).hidden
    assert hidden == [str(tmp_path / "state"), str(tmp_path / "open" / "servers")]


def test_python_and_what_is_on_the_path_are_shown_and_nothing_of_ours_but_the_bridge(tmp_path, monkeypatch):
    programs, modules = tmp_path / "v22" / "bin", tmp_path / "v22" / "lib" / "node_modules"
    programs.mkdir(parents=True)
    modules.mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{programs}:relative:{tmp_path}/not-there")
    shown = what_is_shown((str(tmp_path / "mine"),))
    assert {str(programs), str(modules), str(tmp_path / "mine"), sys.prefix, sys.base_prefix, "/usr"} <= set(shown)
    assert not [path for path in shown if path.endswith(("relative", "not-there", "/control", "/archway"))]
    assert [len(Path(path).parts) for path in shown] == sorted(len(Path(path).parts) for path in shown)
