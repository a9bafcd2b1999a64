import stat

import pytest

from archway.private_files import read_json, write_json, write_private


def test_a_private_file_is_readable_by_its_owner_alone(tmp_path):
    write_private(tmp_path / "secret", b"x")

    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_file_that_was_open_to_others_is_private_after_it_is_written_again(tmp_path):
    (tmp_path / "secret").write_text("old")
    (tmp_path / "secret").chmod(0o644)

    write_private(tmp_path / "secret", b"new")

    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_the_old_content_and_no_draft(tmp_path):
    write_private(tmp_path / "secret", b"old")

    with pytest.raises(TypeError):
        write_private(tmp_path / "secret", None)

    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    assert (tmp_path / "secret").read_bytes() == b"old"


@pytest.mark.parametrize("content", [b"", b"{half", b"[1]"], ids=["empty", "cut off", "no object"])
def test_what_is_no_finished_object_reads_as_empty(tmp_path, content):
    (tmp_path / "f.json").write_bytes(content)

    assert read_json(tmp_path / "f.json") == {}


def test_what_was_written_is_read(tmp_path):
    write_json(tmp_path / "f.json", {"a": 1})

    assert read_json(tmp_path / "f.json") == {"a": 1}
