"""Bodies of the admin API for accounts at providers of servers. Tokens go in, where they do, and never come out."""

from typing import Annotated, Literal

from pydantic import Field as Bound

from control.http.models import Model, Moment

Token = Annotated[str, Bound(min_length=1, max_length=16_384, pattern=r"^[\x21-\x7e]+$")]


class AccountView(Model):
    """What an installation holds at its server's provider; never a token."""

    name: str = Bound(description="Whose account it is, as the provider says; empty where it does not.")
    issuer: str
    scopes: list[str]
    wanted_scopes: list[str] = Bound(
        description="What its server needs besides: asked for at the next sign-in, unless the entry has scopes."
    )
    expires_at: Moment | None = Bound(description="When the token of now ends; null where the provider does not say.")
    refreshes: bool = Bound(description="Whether Archway gets the next token by itself.")
    refreshed_at: Moment
    fault: str = Bound(description="Why the last refresh gave no token; empty where it did.")
    signed_out: bool = Bound(description="Whether the provider does not know this sign-in any more.")


class AccountDeposit(Model):
    """Tokens that were got elsewhere, for an installation of an entry that people sign in to."""

    access_token: Token
    refresh_token: Token | None = Bound(
        None, description="Without one, somebody signs in when the access token ends."
    )
    expires_in: int | None = Bound(None, ge=1, le=315_360_000, description="Seconds until the access token ends.")
    scope: str | None = Bound(None, max_length=4_096, description="What was granted, set apart by spaces.")
    issuer: str | None = Bound(
        None,
        max_length=2_048,
        description="The provider that gave them, to the letter: a server that names another one gets nothing. "
        "Needed with a refresh token where the entry names no issuer.",
    )


class ProviderFound(Model):
    """What was found of the provider at which people sign in for an entry."""

    callback_url: str = Bound(description="Where people come back to: enter it in the provider's form.")
    document_url: str = Bound(description="Where Archway describes itself as a client (CIMD); empty where it cannot.")
    problem: str = Bound(description="Why nobody can sign in there as things stand; empty where one can.")
    hosts_to_approve: list[str] = Bound(
        description="Hosts of its endpoints that are not its own: add them to `approved_hosts` if they are right."
    )
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    registration_endpoint: str
    revocation_endpoint: str
    registrations: list[Literal["own", "document", "dynamic"]] = Bound(
        description="How Archway can be a client there; `own` always goes."
    )
    scopes: list[str] = Bound(description="What is asked for; empty: it is left to the provider.")
    resource: str = Bound(description="What tokens are asked for (RFC 8707); empty: not sent.")
    warnings: list[str]
