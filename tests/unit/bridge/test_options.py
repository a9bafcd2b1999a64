import pytest

from bridge.options import options_from

TOKEN = {"ARCHWAY_BRIDGE_TOKEN": "0123456789abcdef"}


def test_the_command_is_all_behind_the_dashes():
    options = options_from(["--port", "8", "--", "npx", "-y", "--", "server", "--port", "9"], TOKEN)

    assert options.command == ("npx", "-y", "--", "server", "--port", "9")
    assert options.port == 8


def test_the_server_has_every_variable_but_the_bridges_own():
    options = options_from(
        ["--", "x"], {**TOKEN, "ARCHWAY_SECRET_NAMES": "A, B,,C", "A": "one", "C": "two", "P": "x"}
    )

    assert options.environment == {"A": "one", "C": "two", "P": "x"}
    assert options.secrets == ("0123456789abcdef", "one", "two")


def test_when_its_token_ends_and_how_long_it_lingers_are_told_to_it_alone():
    told = {"ARCHWAY_TOKEN_ENDS_AT": "1796000000", "ARCHWAY_LINGER_S": "5"}
    options = options_from(["--", "x"], {**TOKEN, **told})

    assert (options.ends_at, options.linger_s, options.environment) == (1_796_000_000, 5, {})
    assert (options_from(["--", "x"], TOKEN).ends_at, options_from(["--", "x"], TOKEN).linger_s) == (0, 0)


def test_nothing_secret_is_in_its_repr():
    options = options_from(["--", "x"], {**TOKEN, "ARCHWAY_SECRET_NAMES": "A", "A": "one-secret"})

    assert "0123456789abcdef" not in repr(options)
    assert "one-secret" not in repr(options)


@pytest.mark.parametrize(
    ("arguments", "environment", "why"),
    [
        ([], TOKEN, "what to run is missing"),
        (["--"], TOKEN, "what to run is missing"),
        (["--", "x"], {}, "ARCHWAY_BRIDGE_TOKEN must be set"),
        (["--", "x"], {"ARCHWAY_BRIDGE_TOKEN": "short"}, "at least 16 characters"),
        (["--port", "65536", "--", "x"], TOKEN, "a port is a number from 0 to 65535"),
        (["--max-in-flight", "0", "--", "x"], TOKEN, "at least 1"),
        (["--call-within", "nan", "--", "x"], TOKEN, "positive number of seconds"),
        (["--unknown", "--", "x"], TOKEN, "unrecognized arguments"),
        (["--", "x"], {**TOKEN, "ARCHWAY_TOKEN_ENDS_AT": "soon"}, "ARCHWAY_TOKEN_ENDS_AT must be a number"),
        (["--", "x"], {**TOKEN, "ARCHWAY_LINGER_S": "inf"}, "ARCHWAY_LINGER_S must be a number"),
    ],
    ids=[
        "no command",
        "an empty one",
        "no token",
        "a short one",
        "a port",
        "a count",
        "a time",
        "an option",
        "an end",
        "a linger",
    ],
)
def test_nonsense_is_refused_in_words(capsys, arguments, environment, why):
    with pytest.raises(SystemExit) as end:
        options_from(arguments, environment)

    assert end.value.code == 2
    assert why in capsys.readouterr().err


def test_help_has_examples(capsys):
    with pytest.raises(SystemExit):
        options_from(["--help"], {})

    said = capsys.readouterr().out
    assert "python -m bridge --port 8080 -- npx -y" in said
    assert "/healthz" in said
