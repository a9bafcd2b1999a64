import os
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

from control.processes.layout import open_layout
from core.children.guard import guarded
from core.children.identity import lives
from core.children.orphans import recorded

ONE = str(uuid4())


@pytest.fixture
def layout(tmp_path):
    return open_layout(tmp_path / "servers")


def modes(root):
    return {path: (root / path).stat().st_mode & 0o777 for path in (".", "homes", "logs", "run", "root")}


def test_the_folder_is_ours_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert set(modes(open_layout(tmp_path / "servers").root).values()) == {0o700}


def test_of_roots_folder_other_users_get_to_their_homes_and_into_no_list(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    modes_of_root = {".": 0o711, "homes": 0o711, "logs": 0o700, "run": 0o700, "root": 0o700}
    assert modes(open_layout(tmp_path / "servers").root) == modes_of_root


def test_a_home_has_the_files_that_it_was_given_and_no_older_ones(layout):
    layout.make_home(ONE, None, {"old": "1"})
    layout.make_home(ONE, None, {"ca.pem": "certificate"})
    secrets = layout.home(ONE) / "secrets"
    assert [(one.name, one.read_text(), one.stat().st_mode & 0o777) for one in secrets.iterdir()] == [
        ("ca.pem", "certificate", 0o600)
    ]


def test_a_link_that_a_server_put_where_files_go_leads_nowhere(layout, tmp_path):
    (tmp_path / "others").mkdir()
    layout.make_home(ONE, None, {})
    (layout.home(ONE) / "secrets").rmdir()
    (layout.home(ONE) / "secrets").symlink_to(tmp_path / "others")
    layout.make_home(ONE, None, {"it": "1"})
    assert list((tmp_path / "others").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_a_home_belongs_to_its_user(layout):
    layout.make_home(ONE, 1_900_000_001, {"it": "1"})
    owners = {path.stat().st_uid for path in (layout.home(ONE), *layout.home(ONE).rglob("*"))}
    assert owners == {1_900_000_001}
    assert layout.user_of(ONE) == 1_900_000_001


def test_what_is_there_of_installations_is_known_and_what_is_none_is_not(layout):
    layout.make_home(ONE, None, {})
    other = str(uuid4())
    layout.record(other).write_text("{}")
    (layout.root / "homes" / "try").mkdir()
    assert layout.present() == {ONE, other}


def test_all_of_an_installation_is_taken_away_even_what_it_closed(layout):
    layout.make_home(ONE, None, {"it": "1"})
    closed = layout.home(ONE) / "closed" / "inside"
    closed.mkdir(parents=True)
    closed.parent.chmod(0)
    for path in (layout.log(ONE), layout.previous_log(ONE), layout.record(ONE)):
        path.write_text("{}")
    layout.take_away(ONE)
    layout.take_away(ONE)
    assert [path for path in layout.root.rglob("*") if ONE in str(path)] == []


def test_what_an_earlier_run_left_running_is_ended(layout):
    line = guarded(["sleep", "600"], grace_s=1, record=layout.record(ONE))
    with subprocess.Popen(line, stdin=subprocess.PIPE) as guard:
        while not (left := recorded(layout.record(ONE))):
            assert guard.poll() is None
        layout.end_leftovers()
        assert not lives(left["program"])
        guard.wait(60)
    assert not Path(layout.record(ONE)).exists()


def test_what_is_nested_too_deep_for_a_path_is_taken_away_too(layout, tmp_path, monkeypatch):
    layout.make_home(ONE, None, {})
    monkeypatch.chdir(layout.home(ONE) / "secrets")
    for _ in range(1_500):
        Path("d" * 20).mkdir()
        os.chdir("d" * 20)
    os.chdir(tmp_path)
    layout.make_home(ONE, None, {"ca.pem": "certificate"})
    assert [one.name for one in (layout.home(ONE) / "secrets").iterdir()] == ["ca.pem"]
    layout.take_away(ONE)
    assert not layout.home(ONE).exists()
