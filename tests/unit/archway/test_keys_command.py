"""`archway keys`."""

import pytest
from typer.testing import CliRunner

from archway.all_commands import app
from core import signing
from core.keys import new_key, parse_key_ring, refuse_repeats
from core.signing import new_key_before
from tests.fakes.keys import shares_its_identifier


def run(*words, **environment):
    return CliRunner().invoke(app, ["keys", *words], env=environment)


def test_new_keys_are_good_keys_that_differ():
    keys = dict(line.split("=", 1) for line in run("new", "--env").output.split())

    refuse_repeats({name: parse_key_ring(name, keys[name]) for name in keys if name != "ARCHWAY_VERIFY_KEYS"})


@pytest.mark.parametrize("setting", ["ARCHWAY_SECRET_KEY", "ARCHWAY_PROXY_KEY", "ARCHWAY_SIGNING_KEY"])
def test_a_new_key_fits_before_the_one_that_is_set(setting, monkeypatch):
    older = new_key()
    old = new_key_before(older)
    fit = new_key_before(old, older)
    drawn = iter([shares_its_identifier(old), shares_its_identifier(older), fit])
    monkeypatch.setattr(signing, "new_key", lambda: next(drawn))

    assert run("new", **{setting: f"{old},{older}"}).output.strip() == fit


@pytest.mark.parametrize("wrong", ["", ",", "short", "no key!,"])
def test_a_new_key_is_made_in_place_of_what_is_set_and_no_key(wrong):
    made = run("new", ARCHWAY_PROXY_KEY=wrong)

    assert made.exit_code == 0
    parse_key_ring("K", made.stdout.strip())


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ("short", "the key that is set: ARCHWAY_PROXY_KEY"),
        ("no key!", "the key that is set: ARCHWAY_PROXY_KEY"),
        ("{good},short", "the previous key that is set: ARCHWAY_PROXY_KEY"),
        ("{good}, no key!", "the previous key that is set: ARCHWAY_PROXY_KEY"),
    ],
)
def test_a_key_that_is_set_and_none_is_told_and_not_shown(wrong, place):
    made = run("new", ARCHWAY_PROXY_KEY=wrong.format(good=new_key()))

    assert made.exit_code == 0
    assert place in made.stderr
    assert not {"short", "no key!"} & set(made.stderr.split())


@pytest.mark.parametrize("fine", ["", ",", " "])
def test_nothing_is_told_where_no_key_is_set(fine):
    assert run("new", ARCHWAY_PROXY_KEY=fine).stderr == ""


def test_the_public_halves_of_the_signing_key_in_the_environment_are_printed():
    key = new_key()

    assert (
        run("public", ARCHWAY_SIGNING_KEY=key).output.strip() == signing.Signer(parse_key_ring("K", key)).public_keys
    )


def test_a_signing_key_that_is_not_set_has_no_public_half():
    made = run("public", ARCHWAY_SIGNING_KEY="")

    assert made.exit_code == 1
    assert "ARCHWAY_SIGNING_KEY is empty" in made.output
