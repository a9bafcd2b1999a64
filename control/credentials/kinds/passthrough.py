"""The caller's own token of their identity provider, sent on as it is to a server that checks it itself.

An installation brings nothing for it, and control never hands the token out: the proxy, which has it, puts it into
the call. Here is what an entry may say.
"""

from collections.abc import Collection, Mapping

from control.registry.broken_rule import BrokenRule
from control.registry.credential import CheckedCredential, Cure, Passthrough
from control.registry.targets import header


def check(credential: Passthrough) -> CheckedCredential:
    """As it is; whether its audiences are another's than ours alone is looked at where ours are known."""
    return CheckedCredential(credential, (header("authorization"),))


def against(credential: Passthrough, audience: str) -> str:
    """Why a token for this audience is not passed on, behind the server's name; '' where it is."""
    if audience in credential.audiences:
        return ""
    named = " or ".join(repr(one) for one in credential.audiences)
    return (
        f"takes the identity provider's tokens that are for {named}, and yours is for {audience!r}: call with a "
        "token of the provider's for that"
    )


def take(_: Passthrough, given: str | None, _earlier: Mapping[str, str], entry_name: str) -> dict[str, str]:
    """No secrets; BrokenRule for a credential that is given all the same: it would never be sent."""
    if given is not None:
        raise BrokenRule("credential", f"is not accepted by {entry_name}: it gets what is the caller's; leave it out")
    return {}


def headers(_: Passthrough, _secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    """No headers: only the proxy has the caller's token."""
    return []


def places(_: Passthrough) -> dict[str, str]:
    """No places ({}): an installation holds no secret of it."""
    return {}


def cure(_: Passthrough, _held: Collection[str]) -> Cure | None:
    """No cure (None): nothing of the installation can be missing."""
    return None
