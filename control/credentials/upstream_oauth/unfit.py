"""Why an upstream's authorization server is not used: what it says, or what nobody has decided yet.

Raised by the pieces of this package with a sentence for an admin. None of them gets better by asking again; a
provider that is only away is `ProviderAway` (`control/providers/asking.py`).
"""


class CannotSignIn(Exception):
    """Nobody can sign in there as things stand; the sentence says why and what an admin can do."""


class Unfit(CannotSignIn):
    """What a server or its authorization server says of itself must not be used."""


class NotApproved(CannotSignIn):
    """Endpoints at hosts that are foreign to the issuer, and that no admin has approved; nothing is sent there."""

    def __init__(self, issuer: str, hosts: tuple[str, ...]) -> None:
        super().__init__(
            f"the endpoints of {issuer} are at {', '.join(hosts)}, which is not the issuer's host; if that is right, "
            "add it to `approved_hosts`"
        )
        self.hosts = hosts


class AskTheAdmin(CannotSignIn):
    """Archway cannot make itself known there: an admin registers it by hand. `callback` is what they enter there."""

    def __init__(self, issuer: str, callback: str, why: str) -> None:
        super().__init__(
            f"{issuer} {why}: register Archway there by hand, with the callback URL {callback}, and give the "
            "client's `client_id` and `client_secret` to the entry"
        )
        self.callback = callback
