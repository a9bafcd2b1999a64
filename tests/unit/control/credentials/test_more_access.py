from dataclasses import replace

from control.credentials.more_access import beyond, to_ask_for_more
from control.registry.credential import OAuthCredential
from tests.fakes.registry import an_entry, an_installation

FREE, HELD = OAuthCredential(), OAuthCredential(scopes=("read", "write"))
OURS = an_installation()


def test_where_an_entry_has_scopes_a_server_gets_no_others() -> None:
    assert beyond(HELD, ["read", "admin", "write", "delete"]) == ("admin", "delete")
    assert beyond(HELD, ["write"]) == ()


def test_an_entry_without_scopes_leaves_it_to_the_server() -> None:
    assert beyond(FREE, ["admin"]) == ()
    told = to_ask_for_more(an_entry(credential=FREE), OURS, FREE, ["admin"])
    assert (told.code, "asks for more access (admin)" in told.sentence) == ("needs_sign_in", True)


def test_what_the_entry_lets_people_ask_for_is_had_by_signing_in_again() -> None:
    told = to_ask_for_more(an_entry(credential=HELD), OURS, HELD, ["write"])
    assert (told.code, "asks for more access (write)" in told.sentence) == ("needs_sign_in", True)


def test_what_no_sign_in_can_get_names_the_scopes_and_whom_to_ask() -> None:
    told = to_ask_for_more(an_entry(credential=HELD), replace(OURS, name="Mine"), HELD, ["write", "admin"])
    assert (told.code, told.link) == ("not_allowed", "")
    assert told.sentence == (
        "The installation 'Mine' of GitHub may not do this: its server asks for more access (admin) than the entry "
        "lets anybody ask for. Signing in again does not help: an administrator has to add admin to the scopes of "
        "the entry github."
    )


def test_a_server_that_names_many_scopes_makes_no_long_sentence() -> None:
    many = [f"scope{number:03}" for number in range(100)]
    assert len(to_ask_for_more(an_entry(credential=HELD), OURS, HELD, many).sentence) < 600
