"""`archway doctor` on the command line, with the files of a deployment that is not complete."""

import pytest
from typer.testing import CliRunner

from archway.all_commands import app
from archway.doctor.finding import Finding
from archway.up.keys_file import KEY_NAMES, verify_keys
from core.keys import new_key

KEYS = {name: new_key() for name in KEY_NAMES}
BOTH = {
    "ARCHWAY_PROXY_KEY": KEYS["ARCHWAY_PROXY_KEY"],
    "ARCHWAY_PUBLIC_URL": "https://mcp.example.com",
    "ARCHWAY_REDIS_URL": "redis://127.0.0.1:1",
}
CONTROL = (
    BOTH
    | KEYS
    | {
        "ARCHWAY_DATABASE_URL": "postgresql://archway:hunter2@127.0.0.1:1/archway",
        "ARCHWAY_ADMIN_LISTEN": "127.0.0.1:1",  # not the usual port: another Archway may run on this machine
    }
)
PROXY = BOTH | {
    "ARCHWAY_VERIFY_KEYS": verify_keys(KEYS["ARCHWAY_SIGNING_KEY"]),
    "ARCHWAY_CONTROL_INTERNAL_URL": "http://127.0.0.1:1",
}


@pytest.fixture
def doctor(tmp_path):
    def run(*given):
        words = ["doctor"]
        for number, settings in enumerate(given):
            file = tmp_path / f"{'control' if 'ARCHWAY_SECRET_KEY' in settings else 'proxy'}{number}.env"
            file.write_text("".join(f"{name}={text}\n" for name, text in settings.items()))
            words += ["--env-file", str(file)]
        done = CliRunner().invoke(app, words)
        return done.exit_code, done.output.splitlines()

    return run


def test_a_deployment_in_which_nothing_can_be_discovered_is_told_so_and_what_to_set(doctor):
    code, lines = doctor(CONTROL, PROXY)
    assert code == 1
    (line,) = [line for line in lines if "ARCHWAY_PROXY_INTERNAL_URL is not set" in line]
    assert line.startswith("failed ")
    assert "no server can be discovered" in line
    assert "http://proxy.internal:8403" in line


def test_each_thing_that_was_looked_at_has_a_line_that_begins_with_how_it_is(doctor):
    code, lines = doctor(CONTROL | {"ARCHWAY_PROXY_INTERNAL_URL": "http://127.0.0.1:1"}, PROXY)
    assert code == 1
    assert [line.split()[0] for line in lines[:-1]] == [
        "ok",  # Python
        "ok",  # settings of control
        "ok",  # where servers may be
        "failed",  # PostgreSQL
        # nothing of stored secrets, which nobody could read
        "failed",  # Redis
        "warning",  # no proxy yet
        "ok",  # settings of the proxy
        "ok",
        "failed",  # Redis
        "warning",  # no control yet
        "warning",  # the port of the proxy's address
        "warning",  # that of control's
    ]
    assert lines[-1] == "3 failed"


def test_nothing_that_is_secret_is_told(doctor):
    _, lines = doctor(CONTROL, PROXY)
    said = "\n".join(lines)
    assert "hunter2" not in said
    assert not [key for key in KEYS.values() if key in said]


@pytest.mark.parametrize("gone", ["ARCHWAY_DATABASE_URL", "ARCHWAY_PUBLIC_URL", "ARCHWAY_PROXY_KEY"])
def test_what_a_plane_does_not_start_without_is_told_by_its_file(doctor, gone):
    code, lines = doctor({name: text for name, text in CONTROL.items() if name != gone})
    assert code == 1
    assert [line for line in lines if line.startswith(f"failed   control0.env: not set: {gone}")]


def test_a_file_that_is_none_ends_with_a_sentence(tmp_path):
    done = CliRunner().invoke(app, ["doctor", "--env-file", str(tmp_path / "none.env")])
    assert done.exit_code == 2
    assert "none.env cannot be read" in done.output


@pytest.mark.parametrize(
    ("levels", "last"),
    [
        (["ok", "ok"], "nothing is wrong"),
        (["ok", "warning"], "nothing failed; 1 warning"),
        (["warning"] * 5, "nothing failed; 5 warnings"),
        (["warning", "failed"], "1 failed"),
    ],
)
def test_the_last_line_says_that_nothing_is_wrong_only_where_nothing_is_warned_of(doctor, monkeypatch, levels, last):
    found = [Finding("a thing", level=level) for level in levels]
    monkeypatch.setattr("archway.doctor.examine.examine_files", lambda *_: found)
    code, lines = doctor(CONTROL)
    assert (code, lines[-1]) == (int("failed" in levels), last)


def test_a_file_without_settings_of_archway_says_so(tmp_path):
    file = tmp_path / "other.env"
    file.write_text("PATH=/bin\n")
    done = CliRunner().invoke(app, ["doctor", "--env-file", str(file)])
    assert "other.env, no ARCHWAY_ variables" in done.output
