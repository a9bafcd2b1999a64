"""Change events: what control tells every proxy within a second, on one Redis stream.

Each event carries the stream's epoch and a number without holes, and is signed. A proxy that sees a hole or another
epoch stops trusting the stream until it has compared the revisions of all that it holds.
"""

from typing import Literal

import msgspec

from core.signing import SignatureBroken, Signer, Verifier

Kind = Literal[
    "gateway", "token", "user", "team", "installation", "entry", "session", "provider", "grant", "client", "external"
]
"""A reader that does not know a kind believes no such event, and compares all that it holds once more."""


class Change(msgspec.Struct, frozen=True):
    """One change event: something that a proxy may hold is no longer true."""

    epoch: str
    number: int
    kind: Kind
    name: str
    """The identifier of the gateway, user, team, installation, entry, grant or external principal; a token's digest;
    a session's jti; an OAuth client as its tokens name it; a provider's issuer, whose keys or settings have changed,
    or whose tokens prove nothing any more."""
    revision: int = 0
    """A gateway's new revision; -1 when it is gone. Of an installation -1, too, where it is gone or has another
    server or credential, so that sessions with the old one are over; else 0."""


class ChangeBroken(ValueError):
    """What was read is not a change event that control signed."""


_decoder = msgspec.msgpack.Decoder(Change)


def sign_change(change: Change, signer: Signer) -> bytes:
    """The event as it stands on the stream."""
    return signer.sign(msgspec.msgpack.encode(change), "change", change.epoch)


def open_change(document: bytes, epoch: str, verifier: Verifier) -> Change:
    """The event; raises ChangeBroken for what is not signed, or signed for another epoch."""
    try:
        change = _decoder.decode(verifier.verify(document, "change", epoch))
    except (SignatureBroken, msgspec.MsgspecError) as broken:
        raise ChangeBroken(str(broken)) from broken
    if change.epoch != epoch:
        raise ChangeBroken("the event names another epoch than it stands in")
    return change
