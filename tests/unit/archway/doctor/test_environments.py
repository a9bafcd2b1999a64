import pytest

from archway.doctor.environments import BadEnvFile, Given, read_env_file


def test_a_file_is_read_as_docker_reads_it(tmp_path):
    file = tmp_path / "control.env"
    file.write_text("# control\n\nARCHWAY_A=1\n  ARCHWAY_B=x=y # not a comment\nARCHWAY_C=\n")
    given = read_env_file(file)
    assert given == Given("control.env", {"ARCHWAY_A": "1", "ARCHWAY_B": "x=y # not a comment", "ARCHWAY_C": ""})
    assert given.ours == 3


@pytest.mark.parametrize("line", ["ARCHWAY_A", "export ARCHWAY_A=1", "ARCHWAY-A=1", "=1"])
def test_a_line_that_is_no_setting_is_named(tmp_path, line):
    file = tmp_path / "proxy.env"
    file.write_text(f"# one\n{line}\n")
    with pytest.raises(BadEnvFile, match=r"proxy\.env, line 2: must be NAME=value"):
        read_env_file(file)


@pytest.mark.parametrize(
    "make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_bytes(b"\xff")]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, make):
    file = tmp_path / "x.env"
    make(file)
    with pytest.raises(BadEnvFile, match=r"x\.env cannot be read"):
        read_env_file(file)


@pytest.mark.parametrize(
    ("settings", "planes"),
    [
        ({"ARCHWAY_SECRET_KEY": "x"}, {"control"}),
        ({"ARCHWAY_SIGNING_KEY": "x"}, {"control"}),
        ({"ARCHWAY_VERIFY_KEYS": "x"}, {"proxy"}),
        ({"ARCHWAY_SECRET_KEY": "x", "ARCHWAY_VERIFY_KEYS": "x"}, {"control", "proxy"}),
        ({"ARCHWAY_PROXY_KEY": "x", "ARCHWAY_SECRET_KEY": " "}, set()),
    ],
)
def test_settings_are_for_the_plane_whose_keys_they_have(settings, planes):
    assert {plane for plane in ("control", "proxy") if Given("", settings).is_for(plane)} == planes
