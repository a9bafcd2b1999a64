import stat
import subprocess
import sys

import pytest

from archway.up.state import AlreadyRunning, BadState, existing_state, open_state


def test_a_new_state_folder_is_closed_to_everybody_else(tmp_path):
    state = open_state(tmp_path / "state")

    assert stat.S_IMODE(state.root.stat().st_mode) == 0o700


def test_a_state_folder_that_was_opened_up_is_closed_again(tmp_path):
    open_state(tmp_path / "state").root.chmod(0o755)

    assert stat.S_IMODE(open_state(tmp_path / "state").root.stat().st_mode) == 0o700


def test_a_folder_with_somebodys_files_is_not_taken_over(tmp_path):
    (tmp_path / "letters.txt").write_text("dear")

    with pytest.raises(BadState, match="holds other files"):
        open_state(tmp_path)


def test_a_path_that_is_a_file_is_refused_with_the_reason(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(BadState, match="cannot be used"):
        open_state(tmp_path / "file")


def test_a_second_holder_is_told_who_holds_the_folder(tmp_path):
    state = open_state(tmp_path / "state")
    code = (
        "import sys, pathlib; from archway.up.state import open_state\n"
        "with open_state(pathlib.Path(sys.argv[1])).hold():\n  print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, state.root], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()

        with pytest.raises(AlreadyRunning, match=rf"already running on .* \(pid {other.pid}"), state.hold():
            pass
        assert state.holder().pid == other.pid

        other.kill()  # the kernel lets go of the lock, whatever happened
        other.wait()
        with state.hold():
            pass


def test_nobody_holds_a_folder_that_does_not_exist(tmp_path):
    assert existing_state(tmp_path / "none").holder() is None
