"""What is kept of a sign-in shows no secret, and says when an account is first refreshed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from control.accounts.under_way import Came, UnderWay, WantedNew, account_from
from control.credentials.upstream_oauth.authorization_server import AuthorizationServer
from control.credentials.upstream_oauth.authorize import Begun
from control.credentials.upstream_oauth.client import UpstreamClient

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ISSUER = "https://id.example.com"


def way() -> UnderWay:
    begun = Begun(
        state="st4te-secret", verifier="verifier-secret", issuer=ISSUER, names_issuer=True,
        token_endpoint=f"{ISSUER}/token", client_id="archway", redirect_uri="https://a.example/install/callback",
        resource="https://mcp.example/mcp", scopes=("read",), at=NOW.timestamp(),
    )  # fmt: skip
    return UnderWay(
        begun=begun,
        server=AuthorizationServer(
            issuer=ISSUER, token_endpoint=f"{ISSUER}/token", revocation_endpoint=f"{ISSUER}/r"
        ),
        client=UpstreamClient(issuer=ISSUER, client_id="archway", client_secret="client-secret"),
        client_row="row",
        place="{}",
        wanted=WantedNew(scope="personal", values={"key": "answer-secret"}),
    )


def came(**changes: object) -> Came:
    usual: dict[str, object] = {
        "access_token": "access-secret", "refresh_token": "refresh-secret", "expires_at": NOW.timestamp() + 3600,
        "scopes": ("read",), "account_name": "octocat", "subject": "1",
    }  # fmt: skip
    return msgspec.convert(usual | changes, Came)


def test_it_comes_back_whole_from_how_it_is_sealed() -> None:
    assert msgspec.json.decode(msgspec.json.encode(way()), type=UnderWay) == way()
    assert msgspec.json.decode(msgspec.json.encode(came()), type=Came) == came()


@pytest.mark.parametrize("thing", [way(), came(), way().wanted])
def test_no_secret_is_in_its_repr(thing: object) -> None:
    assert "secret" not in repr(thing)


def test_the_account_goes_where_the_sign_in_began() -> None:
    account = account_from(way(), came(), NOW)
    assert (account.token_endpoint, account.revocation_endpoint) == (f"{ISSUER}/token", f"{ISSUER}/r")
    assert (account.account_name, account.upstream_client_id) == ("octocat", "row")


@pytest.mark.parametrize(
    ("wanted", "installation_id", "path"),
    [
        (WantedNew(scope="personal"), None, "/install/crm?as=user%3Au1"),
        (WantedNew(scope="team", team_id="t1"), None, "/install/crm?as=team%3At1"),
        (WantedNew(scope="organisation"), None, "/install/crm"),
        (None, "i1", "/install/crm?installation=i1"),
    ],
)
def test_a_person_begins_again_for_the_same_owner_or_the_same_installation(
    wanted: WantedNew | None, installation_id: str | None, path: str
) -> None:
    begun = msgspec.structs.replace(way(), wanted=wanted)
    assert begun.begun_at("crm", "u1", installation_id) == path


def test_an_account_is_refreshed_ahead_of_its_end_and_not_all_at_one_moment() -> None:
    ends = NOW + timedelta(hours=1)
    found = {account_from(way(), came(expires_at=ends.timestamp()), NOW).refresh_at for _ in range(50)}
    assert len(found) > 1
    assert all(ends - timedelta(minutes=10) <= one < ends for one in found if one)


def test_a_short_life_is_refreshed_in_its_second_half() -> None:
    ends = NOW + timedelta(seconds=60)
    found = account_from(way(), came(expires_at=ends.timestamp()), NOW).refresh_at
    assert found is not None
    assert NOW + timedelta(seconds=30) < found < ends


def test_without_a_refresh_token_nobody_refreshes() -> None:
    assert account_from(way(), came(refresh_token=""), NOW).refresh_at is None
    assert account_from(way(), came(expires_at=0.0), NOW).refresh_at is None
