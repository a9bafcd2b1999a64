import pytest

from archway.up.given_settings import IGNORED, check_given, used
from core.keys import new_key
from core.settings import BadSetting


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ARCHWAY_SOFT_AGE", "7200"),
        ("ARCHWAY_PUBLIC_URL", "mcp.example.com"),
        ("ARCHWAY_MAX_BODY", "lots"),
        ("ARCHWAY_RECORDS_DAYS", "0"),
        ("ARCHWAY_PROXY_KEY", "short"),
    ],
)
def test_a_setting_that_no_plane_would_take_keeps_everything_from_starting(name, text):
    with pytest.raises(BadSetting, match=name):
        check_given({name: text})


def test_a_misspelt_setting_is_worth_a_note():
    (sentence,) = check_given({"ARCHWAY_PUBLIC_ULR": "https://mcp.example.com"})

    assert (
        sentence
        == "ARCHWAY_PUBLIC_ULR is not a setting of Archway: it has no effect; did you mean ARCHWAY_PUBLIC_URL?"
    )


def test_a_setting_that_up_makes_itself_is_worth_a_note_whatever_it_is():
    (sentence,) = check_given({"ARCHWAY_PROXY_LISTEN": "nonsense"})

    assert sentence == "ARCHWAY_PROXY_LISTEN is ignored by `archway up`: use --proxy-port"


def test_what_is_ignored_reaches_no_program():
    assert used({**dict.fromkeys(IGNORED, "x"), "ARCHWAY_SOFT_AGE": "30"}) == {"ARCHWAY_SOFT_AGE": "30"}


def test_keys_that_the_environment_lacks_are_kept_by_the_state_folder():
    assert check_given({"ARCHWAY_DATABASE_URL": "postgresql://h/d", "ARCHWAY_SECRET_KEY": new_key()}) == []
