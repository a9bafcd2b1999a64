"""Signing in at providers that people know, by the settings that they document, with stand-ins that do what the real
ones do (`tests/fakes/oauth_stand_ins.py`). None of it has been run against the real ones.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from control.credentials.upstream_oauth.account import AccountName
from control.credentials.upstream_oauth.revocation import revoke
from control.credentials.upstream_oauth.token_request import Granted, Refused, client_credentials, refresh
from control.credentials.upstream_oauth.unfit import AskTheAdmin, NotApproved, Unfit
from control.providers.asking import Asker
from control.providers.browser_round import BadReturn
from control.registry.credential import OAuthCredential
from tests.fakes.oauth_stand_ins import CLIENT_ID, CLIENT_SECRET, Atlassian, Entra, GitHub, Google, StandIn
from tests.fakes.upstream_clients import OURS
from tests.fakes.upstream_sign_in import SignedIn, SigningIn, agrees_at_once


def person_at(asker: Asker, stand_in: StandIn, **settings: Any) -> SigningIn:
    """Somebody before the server; the entry has these settings."""
    return SigningIn(
        asker, stand_in.url, OAuthCredential(**settings), OURS, browser=agrees_at_once, client_secret=CLIENT_SECRET
    )


async def gets_in(asker: Asker, stand_in: StandIn, token: str) -> bool:
    """Whether the server takes this token."""
    answer = await asker.ask("POST", stand_in.url, {"Authorization": f"Bearer {token}"}, b"{}")
    return answer.status == 200


async def renewed(asker: Asker, signed_in: SignedIn, token: str) -> Any:
    """What a refresh comes to."""
    return await refresh(asker, signed_in.place, token, signed_in.discovered.resource, time.time())


def sent(signed_in: SignedIn) -> dict[str, str]:
    """What the browser was sent with."""
    return dict(parse_qsl(urlsplit(signed_in.sent_to).query))


async def test_github_needs_a_client_of_ones_own_and_says_so(asker: Asker) -> None:
    async with GitHub() as github:
        with pytest.raises(AskTheAdmin, match=OURS.redirect_uri):
            await person_at(asker, github).signs_in()


async def signed_in_at(asker: Asker, github: GitHub, **settings: Any) -> tuple[SigningIn, SignedIn]:
    told = {
        "client_id": CLIENT_ID, "issuer": github.issuer, "account_endpoint": github.account_endpoint,
        "account_claim": "login", **settings,
    }  # fmt: skip
    person = person_at(asker, github, **told)
    return person, await person.signs_in(await person.challenge())


async def test_github_gives_a_token_without_end_and_tells_who_it_is_in_its_own_way(asker: Asker) -> None:
    async with GitHub() as github:
        person, signed_in = await signed_in_at(asker, github)
        granted = signed_in.granted
        assert (granted.refresh_token, granted.expires_at) == ("", 0.0)
        assert granted.scopes == ("repo", "read:user")  # it writes them with commas
        assert await person.account(signed_in) == AccountName("ann", "")
        assert await gets_in(asker, github, granted.access_token)
        back = await revoke(asker, signed_in.place, signed_in.discovered.server.revocation_endpoint,
                            [("access_token", granted.access_token)], time.time())  # fmt: skip
        assert not back.done  # it has no address for that; the page tells people where to do it


async def test_githubs_refusals_come_with_status_200_and_are_refusals(asker: Asker) -> None:
    async with GitHub() as github:
        _, signed_in = await signed_in_at(asker, github)
        gone = await renewed(asker, signed_in, "rt-gone")
        assert isinstance(gone, Refused)
        assert gone.is_invalid_grant
        github.renew_secret()
        lost = await renewed(asker, signed_in, "rt-gone")
        assert isinstance(lost, Refused)
        assert (lost.error, lost.is_invalid_grant) == ("incorrect_client_credentials", False)
        assert "gho_secret" not in gone.sentence + lost.sentence


async def test_github_without_metadata_is_entered_by_its_endpoints(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GitHub, "publishes", False)
    async with GitHub() as github:
        with pytest.raises(Unfit, match="has no metadata"):
            await signed_in_at(asker, github)
        _, signed_in = await signed_in_at(
            asker, github,
            authorization_endpoint=f"{github.issuer}/authorize", token_endpoint=f"{github.issuer}/access_token",
        )  # fmt: skip
        assert await gets_in(asker, github, signed_in.granted.access_token)


GOOGLE = {
    "client_id": CLIENT_ID,
    "scopes": ("https://www.googleapis.com/auth/drive", "openid", "email"),
    "authorize_parameters": {"access_type": "offline", "prompt": "consent"},
}


async def test_googles_endpoints_are_looked_at_by_an_admin_first(asker: Asker) -> None:
    async with Google() as google:
        person = person_at(asker, google, issuer=google.issuer, **GOOGLE)
        with pytest.raises(NotApproved) as refused:
            await person.signs_in()
        assert refused.value.hosts == tuple(sorted((google.tokens_at.url, google.people_at.url)))
        assert google.tokens_at.asked == google.people_at.asked == []


async def test_google_gives_tokens_that_last_to_whoever_asks_in_its_way(asker: Asker) -> None:
    async with Google() as google:
        approved = (google.tokens_at.url, google.people_at.url)
        person = person_at(asker, google, issuer=google.issuer, approved_hosts=approved, **GOOGLE)
        signed_in = await person.signs_in(await person.challenge())
        assert (sent(signed_in)["access_type"], sent(signed_in)["prompt"]) == ("offline", "consent")
        assert "offline_access" not in sent(signed_in)["scope"]
        first = signed_in.granted
        assert await person.account(signed_in) == AccountName("ann@gmail.example", "1077")
        google.expire()
        again = await renewed(asker, signed_in, first.refresh_token)
        assert isinstance(again, Granted)
        assert again.refresh_token == ""  # the one before stays good
        assert await gets_in(asker, google, again.access_token)
        given_back = await revoke(
            asker, signed_in.place, signed_in.discovered.server.revocation_endpoint,
            [("access_token", again.access_token), ("refresh_token", first.refresh_token)], time.time(),
        )  # fmt: skip
        assert given_back.done
        assert (await renewed(asker, signed_in, first.refresh_token)).is_invalid_grant


async def test_without_its_parameters_google_gives_none_that_last(asker: Asker) -> None:
    async with Google() as google:
        approved = (google.tokens_at.url, google.people_at.url)
        settings = {**GOOGLE, "authorize_parameters": {}}
        person = person_at(asker, google, issuer=google.issuer, approved_hosts=approved, **settings)
        assert (await person.signs_in()).granted.refresh_token == ""


ENTRA = {"client_id": CLIENT_ID, "scopes": ("api://11111111-2222/.default", "offline_access")}


async def test_entra_takes_no_resource_and_the_entry_says_so(asker: Asker) -> None:
    async with Entra() as entra:
        told = {"issuer": entra.issuer, "approved_hosts": (entra.people_at.url,), **ENTRA}
        with pytest.raises(BadReturn, match="invalid_target"):
            await person_at(asker, entra, **told).signs_in()
        person = person_at(asker, entra, resource="omit", **told)
        signed_in = await person.signs_in(await person.challenge())
        assert "resource" not in sent(signed_in)
        assert (sent(signed_in)["scope"], sent(signed_in)["prompt"]) == (
            "api://11111111-2222/.default offline_access", "consent",
        )  # fmt: skip
        assert not signed_in.discovered.server.says_s256
        assert sent(signed_in)["code_challenge_method"] == "S256"  # it takes PKCE without saying so
        again = await renewed(asker, signed_in, signed_in.granted.refresh_token)
        assert isinstance(again, Granted)
        assert again.expires_at == pytest.approx(time.time() + 3599, abs=60)  # it writes the number as text
        assert all("resource" not in form for form in entra.asked)
        assert await gets_in(asker, entra, again.access_token)


async def test_atlassians_metadata_names_another_issuer_which_an_admin_gives(asker: Asker) -> None:
    async with Atlassian() as atlassian:
        with pytest.raises(Unfit, match="as its `issuer`"):
            await person_at(asker, atlassian).signs_in()
        person = person_at(asker, atlassian, issuer=atlassian.issuer)
        signed_in = await person.signs_in(await person.challenge())
        client = signed_in.place.client
        assert (client.how, client.authentication, client.issuer) == (
            "dynamic", "client_secret_basic", atlassian.issuer,
        )  # fmt: skip
        assert set(signed_in.scopes) == {"read:jira", "write:jira", "offline_access"}
        assert await gets_in(asker, atlassian, signed_in.granted.access_token)


async def test_atlassians_refresh_tokens_are_good_once(asker: Asker) -> None:
    async with Atlassian() as atlassian:
        person = person_at(asker, atlassian, issuer=atlassian.issuer)
        first = (signed_in := await person.signs_in(await person.challenge())).granted
        second = await renewed(asker, signed_in, first.refresh_token)
        assert isinstance(second, Granted)
        assert second.refresh_token not in ("", first.refresh_token)
        assert (await renewed(asker, signed_in, first.refresh_token)).is_invalid_grant
        assert isinstance(await renewed(asker, signed_in, second.refresh_token), Granted)


async def test_a_client_of_one_is_known_to_none_of_the_others(asker: Asker) -> None:
    async with Atlassian() as one, Atlassian() as other:
        person = person_at(asker, one, issuer=one.issuer)
        signed_in = await person.signs_in()
        elsewhere = replace(signed_in.place, endpoint=f"{other.issuer}/oauth/token")
        refused = await client_credentials(asker, elsewhere, "", (), time.time())
        assert isinstance(refused, Refused)
        assert refused.error == "invalid_client"
