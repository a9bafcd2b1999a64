from bridge.memory import killed_for_memory


def test_what_the_kernel_ended_is_counted(tmp_path):
    events = tmp_path / "memory.events"
    events.write_text("low 0\nhigh 3\nmax 12\noom 4\noom_kill 2\noom_group_kill 7\n")

    assert killed_for_memory(events) == 2


def test_where_it_cannot_be_told_it_is_nothing(tmp_path):
    (tmp_path / "other").write_text("low 0\n")

    assert killed_for_memory(tmp_path / "other") == killed_for_memory(tmp_path / "none") == 0
