import pytest

from archway.cli import main


def test_ctrl_c_ends_with_its_status_and_without_a_traceback(monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("archway.all_commands.app", interrupted)

    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
