"""What is kept of a sign-in shows no secret, and decides where the account goes."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from control.accounts.given import Given
from control.accounts.under_way import UnderWay, WantedNew
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


def test_it_comes_back_whole_from_how_it_is_sealed() -> None:
    assert msgspec.json.decode(msgspec.json.encode(way()), type=UnderWay) == way()


@pytest.mark.parametrize("thing", [way(), way().wanted])
def test_no_secret_is_in_its_repr(thing: object) -> None:
    assert "secret" not in repr(thing)


def test_the_account_goes_where_the_sign_in_began() -> None:
    given = Given(
        access_token="at", refresh_token="rt", expires_at=0, scopes=("read",), account_name="octocat", subject="1"
    )
    account = way().account(given, NOW)
    assert (account.token_endpoint, account.revocation_endpoint) == (f"{ISSUER}/token", f"{ISSUER}/r")
    assert (account.account_name, account.upstream_client_id) == ("octocat", "row")
    assert (account.place, account.resource) == ("{}", "https://mcp.example/mcp")


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
