from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from control.credentials.upstream_oauth.authorize import (
    Begun,
    authorize_url,
    begin,
    code_of,
    wanted_scopes,
)
from control.credentials.upstream_oauth.challenge import MOST_SCOPES, Challenge
from control.credentials.upstream_oauth.unfit import Unfit
from control.providers.browser_round import AGE_S, BadReturn
from control.registry.credential import OAuthCredential
from control.registry.pkce import s256_challenge
from tests.fakes.upstream_clients import BACK, ISSUER, SERVER_URL, a_client, a_server, found

NOW = 1_000_000.0


def begun(scopes: tuple[str, ...] = ("a", "b"), **changes: Any) -> Begun:
    return begin(found(a_server(**changes)), a_client(), BACK, scopes, NOW)


def asked(made: Begun, extra: dict[str, str] | None = None, **changes: Any) -> dict[str, str]:
    """The parameters of the address that the browser is sent to, each of which comes once."""
    server = a_server(authorization_endpoint=f"{ISSUER}/authorize?tenant=1", **changes)
    url = authorize_url(server, made, extra or {})
    assert url.startswith(f"{ISSUER}/authorize?tenant=1&")
    values = parse_qs(urlsplit(url).query, keep_blank_values=True)
    assert all(len(one) == 1 for one in values.values())
    return {name: one for name, (one,) in values.items()}


def refused(answer: dict[str, str], made: Begun, now: float = NOW) -> str:
    with pytest.raises(BadReturn) as bad:
        code_of(answer, made, now)
    return bad.value.why


def test_a_code_is_asked_for_with_proof_of_who_asks_and_what_for() -> None:
    made = begun()
    assert asked(made) == {
        "tenant": "1", "response_type": "code", "client_id": "archway", "redirect_uri": BACK, "scope": "a b",
        "state": made.state, "code_challenge": s256_challenge(made.verifier), "code_challenge_method": "S256",
        "resource": SERVER_URL,
    }  # fmt: skip


def test_what_is_not_wanted_is_not_sent() -> None:
    made = begin(found(resource=""), a_client(), BACK, (), NOW)
    assert not {"scope", "resource", "prompt"} & set(asked(made))


def test_the_entrys_parameters_go_along_and_change_nothing_of_ours() -> None:
    made = begun(())
    extra = {
        "access_type": "offline", "redirect_uri": "https://evil.example", "state": "x", "scope": "all",
        "request_uri": "https://evil.example", "response_mode": "fragment",
    }  # fmt: skip
    sent = asked(msgspec.structs.replace(made, resource=""), extra)
    assert (sent["access_type"], sent["redirect_uri"], sent["state"]) == ("offline", BACK, made.state)
    assert not {"scope", "request_uri", "response_mode"} & set(sent)


def test_tokens_that_last_are_asked_for_with_consent_unless_the_entry_says_otherwise() -> None:
    made = begun(("a", "offline_access"))
    assert asked(made)["prompt"] == "consent"
    assert asked(made, {"prompt": "select_account"})["prompt"] == "select_account"


def test_where_nobody_signs_in_nobody_is_sent() -> None:
    with pytest.raises(Unfit):
        authorize_url(a_server(authorization_endpoint=""), begun(), {})


def test_no_secret_is_sent_along_or_shown_or_used_twice() -> None:
    one, other = begun(), begun()
    assert one.verifier not in str(asked(one))
    assert one.verifier not in repr(one)
    assert not {one.state, one.verifier} & {other.state, other.verifier}


def test_a_client_of_another_issuer_begins_nothing() -> None:
    with pytest.raises(ValueError, match="is no client of"):
        begin(found(), a_client(issuer="https://other.example"), BACK, (), NOW)


SAID = found(scopes_supported=("said",))
ASKS = Challenge(scopes=("asked",))


def test_the_scopes_are_the_challenges_then_the_servers_then_none() -> None:
    assert wanted_scopes(SAID, OAuthCredential(), ASKS) == ("asked",)
    assert wanted_scopes(SAID, OAuthCredential()) == ("said",)
    assert wanted_scopes(found(), OAuthCredential()) == ()


def test_the_entrys_scopes_stand_over_them_to_the_letter() -> None:
    lists = found(a_server(scopes_supported=("offline_access",)), scopes_supported=("said",))
    assert wanted_scopes(lists, OAuthCredential(scopes=("own",)), ASKS) == ("own",)


def test_tokens_that_last_are_asked_for_where_the_provider_lists_that() -> None:
    lists = found(a_server(scopes_supported=("x", "offline_access")), scopes_supported=("said",))
    assert wanted_scopes(lists, OAuthCredential()) == ("said", "offline_access")
    assert wanted_scopes(SAID, OAuthCredential()) == ("said",)


def test_what_the_account_had_is_asked_for_together_with_the_rest() -> None:
    assert wanted_scopes(SAID, OAuthCredential(), ASKS, had=("had", "asked")) == ("had", "asked")


def test_a_server_that_wants_more_gets_no_more_than_the_entrys_scopes() -> None:
    more = Challenge(scopes=("more", "own"), error="insufficient_scope")
    assert wanted_scopes(SAID, OAuthCredential(scopes=("own",)), more, had=("had",)) == ("own",)


def test_so_many_scopes_are_asked_for_at_the_most() -> None:
    had = [f"s{number}" for number in range(MOST_SCOPES)]
    assert wanted_scopes(SAID, OAuthCredential(), had=had) == tuple(had)


def test_the_code_of_the_answer_to_what_was_begun_comes_out() -> None:
    for made in (begun(), begun(names_issuer=True)):
        assert code_of({"state": made.state, "code": "c", "iss": ISSUER}, made, NOW + AGE_S) == "c"
    quiet = begun()
    assert code_of({"state": quiet.state, "code": "c"}, quiet, NOW) == "c"


def test_an_answer_that_is_not_the_one_to_what_was_begun_is_refused() -> None:
    made = begun()
    assert refused({"code": "c"}, made) == "state"
    assert refused({"state": begun().state, "code": "c"}, made) == "state"
    assert refused({"state": "", "code": "c"}, msgspec.structs.replace(made, state="")) == "state"
    assert refused({"state": made.state, "code": "c"}, made, NOW + AGE_S + 1) == "late"
    assert refused({"state": made.state}, made) == "no_code"


@pytest.mark.parametrize("said", ["https://evil.example", f"{ISSUER}/", "HTTPS://AS.EXAMPLE", ""])
def test_a_server_that_names_another_issuer_is_not_listened_to_whatever_it_promised(said: str) -> None:
    for made in (begun(), begun(names_issuer=True)):
        assert refused({"state": made.state, "code": "c", "iss": said}, made) == "issuer"
        assert refused({"state": made.state, "error": "access_denied", "iss": said}, made) == "issuer"


def test_a_server_that_promised_to_name_itself_is_held_to_it() -> None:
    made = begun(names_issuer=True)
    assert refused({"state": made.state, "code": "c"}, made) == "issuer"
    assert refused({"state": made.state, "error": "access_denied"}, made) == "issuer"


def test_a_refusal_comes_with_the_providers_word_and_never_its_sentence() -> None:
    made = begun()
    for error, why, word in (
        ("access_denied", "denied", "access_denied"),
        ("invalid_scope", "refused", "invalid_scope"),
        ("<script>", "refused", ""),
    ):
        with pytest.raises(BadReturn) as bad:
            code_of({"state": made.state, "error": error, "error_description": "<b>"}, made, NOW)
        assert (bad.value.why, bad.value.error) == (why, word)
        assert "<" not in str(bad.value)
