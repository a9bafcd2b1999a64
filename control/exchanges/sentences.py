"""What callers are told while a provider gives no token for them, and what an admin is to look at.

Called by the files of this room. Whether a person has to do something is told apart from what passes by itself, and
both from what only an admin can put right. No word of a provider is repeated but its `error`.
"""

from msgspec.structs import replace

from control.registry.entry import Entry
from control.registry.identity_provider import IdentityProvider
from core.resolve import InstallationRefusal

_ADMIN = "Ask an administrator of Archway to look at"


def away(entry: Entry, provider: str, why: str) -> InstallationRefusal:
    """Whoever gives tokens for callers gives none now. `provider`: its name, `why`: one clause."""
    return InstallationRefusal(
        "provider_away",
        f"{entry.name} cannot be called now: {provider} gives no token for it ({why}). Try again in a minute; nobody "
        "has to sign in again.",
    )


def under_way(entry: Entry, provider: str) -> InstallationRefusal:
    """The token has been asked for and is not there in the time that a call can wait."""
    return replace(away(entry, provider, "it has been asked and has not answered yet"), under_way=True)


def no_provider(entry: Entry) -> InstallationRefusal:
    """The provider that the entry names is gone, is off, or exchanges no tokens."""
    return _for_admin(
        entry, "the identity provider that it names gives no tokens", "the identity provider and its exchange"
    )


def another_issuer(entry: Entry, provider: IdentityProvider, issuer: str) -> InstallationRefusal:
    """The caller came with a token of another identity provider than the entry names."""
    return InstallationRefusal(
        "not_allowed",
        f"{entry.name} takes what {provider.name} ({provider.issuer}) says of its callers, and you call with a token "
        f"of {issuer}: call with one of {provider.name}.",
    )


def not_allowed(entry: Entry, because: str) -> InstallationRefusal:
    """This kind of caller has no token that is exchanged. `because`: behind the server's name."""
    return InstallationRefusal("not_allowed", f"{entry.name} {because}.")


def sign_in_refused(entry: Entry, provider: IdentityProvider, said: str) -> InstallationRefusal:
    """The provider takes what it gave at the person's own sign-in no more."""
    return InstallationRefusal(
        "needs_sign_in",
        f"{provider.name} gives no token for {entry.name} in exchange for what it gave when you signed in ({said}): "
        f"sign in to Archway with {provider.name} again, then try again.",
    )


def own_token_refused(entry: Entry, provider: IdentityProvider, said: str) -> InstallationRefusal:
    """The provider does not exchange the token that the caller came with."""
    return InstallationRefusal(
        "not_allowed",
        f"{provider.name} gives no token for {entry.name} in exchange for the one that you call with ({said}): call "
        "with a newer one. If that is refused too, ask an administrator of Archway.",
    )


def refused(entry: Entry, said: str) -> InstallationRefusal:
    """The provider, or the server's own authorization server, gives no token for a reason that no caller can cure."""
    return _for_admin(entry, said, "the entry's credential and the identity provider's exchange")


def _for_admin(entry: Entry, why: str, what: str) -> InstallationRefusal:
    return InstallationRefusal("not_allowed", f"{entry.name} cannot be called: {why}. {_ADMIN} {what}.")
