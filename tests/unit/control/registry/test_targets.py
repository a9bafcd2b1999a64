from control.registry.targets import Target, header


def test_a_target_is_written_as_people_read_it() -> None:
    assert (str(header("x-key")), str(Target("variable", "KEY"))) == ("header x-key", "variable KEY")
