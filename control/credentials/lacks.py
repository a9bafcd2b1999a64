"""What an installation lacks before it may be used as its entry now is: one judge for calls, changes and pages.

Called by `resolved.py`, `usable.py`, `binding.py`, `standing.py` and `control/accounts/lease.py`, each of which heeds
what concerns it. Judged by what is so now, so that an entry that moves back finds its installations as they were.
Pure; leaves out what a person can do about it: `cure.py`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from control.credentials import dispatch
from control.credentials.places import given_elsewhere, is_for
from control.registry.account import Account
from control.registry.broken_rule import BrokenRule
from control.registry.credential import CLIENT_ID, ClientCredentials, OAuthCredential
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.server_url import server_place
from core.egress.addresses import ANYWHERE, AddressPolicy

Lack = Literal[
    "address", "secrets_elsewhere", "given_again", "credential", "account", "account_elsewhere", "signed_out"
]


class _Words(NamedTuple):
    because: str
    """Behind "The installation", for everybody who may call with it."""
    cause: str
    """A sentence for whoever looks after it."""


WORDS: Final[Mapping[Lack, _Words]] = MappingProxyType(
    {
        "address": _Words(
            "has no answer that fits the address of its server", "Its answers make no address of a server any more."
        ),
        "secrets_elsewhere": _Words(
            "has secrets that were given for something else", "Its secrets were given for something else."
        ),
        "given_again": _Words(
            "must be given its credential again", "It must be given its credential, or answers, again."
        ),
        "credential": _Words("has no credential yet", "It has no credential yet."),
        "account": _Words(
            "is not signed in at its provider yet", "Nobody has signed in for it at its server's provider yet."
        ),
        "account_elsewhere": _Words(
            "was signed in for another address or provider of this server",
            "Its server or its provider has another address since then.",
        ),
        "signed_out": _Words(
            "was signed out by its provider", "Its provider does not know this sign-in any more."
        ),
    }
)  # fmt: skip
"""All reasons for which an installation is not used, and how they are said."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """What an installation lacks, and which of its answers that is about, where it is known."""

    lack: Lack
    secrets: tuple[str, ...] = ()
    """Names of those to give again."""
    answer: str = ""
    """Name of the plain one to give again."""
    details: str = ""
    """For whoever looks after it."""
    exactly: str = ""
    """Words that say it better than those of the table; '' where the table's are right."""

    @property
    def because(self) -> str:
        """Why it is not used, behind "The installation"."""
        return self.exactly or WORDS[self.lack].because

    @property
    def cause(self) -> str:
        """Why it is not used, in a sentence."""
        return WORDS[self.lack].cause


def of_answers(entry: Entry, installation: Installation, policy: AddressPolicy = ANYWHERE) -> Lacking | None:
    """What its answers and secrets lack: secrets are bound to what they were given for. Whether an address may be
    connected to was said when it was saved, and is decided at each connect: `policy` is for who saves.
    """
    try:
        url = server_place(entry, installation.plain_values, policy)
    except BrokenRule as broken:
        return Lacking("address", answer=broken.field.removeprefix("values."), details=str(broken))
    elsewhere = given_elsewhere(entry, installation, url)
    if elsewhere is None:
        return None
    return Lacking("secrets_elsewhere", elsewhere.names, details=elsewhere.details, exactly=elsewhere.because)


def of_state(installation: Installation) -> Lacking | None:
    """What an earlier change or discovery found it to lack."""
    return Lacking("given_again") if installation.state == "needs_sign_in" else None


def of_secrets(entry: Entry, held: Collection[str]) -> Lacking | None:
    """The credential, where it is not among the secrets of these names and must be."""
    return None if dispatch.cure(entry.credential, held) is None else Lacking("credential")


def of_account(entry: Entry, installation: Installation, account: Account | None) -> Lacking | None:
    """Why a person must sign in at the provider first; None where nobody has to, as for a client's own tokens."""
    if not isinstance(entry.credential, OAuthCredential):
        return None
    if account is None:
        return Lacking("account")
    if not fits(entry, installation, account):
        return Lacking("account_elsewhere")
    return None if account.refused_at is None else Lacking("signed_out", details=account.fault)


def fits(entry: Entry, installation: Installation, account: Account) -> bool:
    """Whether the account is of the server and the provider that the entry names now, and of the same client."""
    try:
        if not is_for(account, entry, installation):
            return False
    except BrokenRule:  # its answers make no address any more
        return False
    of_client = isinstance(entry.credential, ClientCredentials)
    return not of_client or account.client_id == installation.plain_values.get(CLIENT_ID)
