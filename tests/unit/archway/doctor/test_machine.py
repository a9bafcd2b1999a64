import shutil

from archway.doctor import machine
from archway.doctor.machine import check_python, check_state
from archway.up.state import open_state


def test_this_machine_is_good_enough(tmp_path):
    assert check_python() == []
    assert check_state(open_state(tmp_path / "state").root) == []


def test_a_folder_that_others_may_read_is_wrong_and_the_cure_is_a_command(tmp_path):
    root = open_state(tmp_path / "state").root
    root.chmod(0o755)

    (finding,) = check_state(root)

    assert finding.wrong
    assert finding.cure == f"chmod 700 {root}"


def test_a_keys_file_that_others_may_read_is_wrong(tmp_path):
    root = open_state(tmp_path / "state").root
    (root / "keys.env").touch(mode=0o644)

    (finding,) = check_state(root)

    assert finding.cure == f"chmod 600 {root}/keys.env"


def test_a_folder_that_does_not_exist_yet_is_no_error(tmp_path):
    (finding,) = check_state(tmp_path / "none")

    assert not finding.wrong


def test_a_full_disk_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "LEAST_FREE", shutil.disk_usage(tmp_path).total * 2)

    (finding,) = check_state(open_state(tmp_path / "state").root)

    assert "MiB free" in finding.what
