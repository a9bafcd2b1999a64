"""Whether a way into a gateway is open, and if not, what to do: tokens, signing in, an identity provider's tokens.

Called where a gateway is read (`control/admin/gateway_ways.py`), for its admin: proxies rest on none of this. A
gateway to which nobody can come is not usable; of several ways one that is shut is a warning. That nobody can sign in
anywhere here is no fault of a gateway, and is told only where it leaves no way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

ClientState = Literal["there", "shut out", "gone"]
_MOST_NAMED: Final = 3
_NO_PAGES: Final = "People cannot sign in over plain http: set ARCHWAY_ISSUER_URL to an https URL."


@dataclass(frozen=True, slots=True)
class WaysIn:
    """What is known of the ways into one gateway."""

    slug: str
    allowed: Mapping[str, ClientState]
    """The OAuth clients that it names, with what became of each; empty: it lets in every client."""
    pages_kept: bool
    """Whether people can sign in at all: browsers keep our cookies where the pages are."""
    provider: str | None
    """Why it takes no tokens of the identity provider that it names, '' where it does; None: it names none."""
    has_token: bool
    """Whether a token lives whose bearer sees it. To be found out only where the other ways are shut."""


def shut_ways(ways: WaysIn) -> tuple[str, list[str]]:
    """Why nobody can come in, '' where somebody can; and of each way that is shut, why, and what helps."""
    clients = _clients(ways)
    lost = clients[0] if ways.pages_kept else ""
    told = [one for one in (lost, ways.provider) if one]
    others_open = not clients[1] or ways.provider == ""
    if others_open or ways.has_token:
        return "", told
    reason = f"No way in is open: nobody who sees it has a token, and {_lowered(clients[0])}"
    return reason, [ways.provider] if ways.provider else []


def may_be_shut(allowed: Mapping[str, ClientState], provider: str | None, *, pages_kept: bool) -> bool:
    """Whether only tokens can open the gateway, so that it matters if there is one."""
    return provider != "" and not (pages_kept and (not allowed or "there" in allowed.values()))


def _clients(ways: WaysIn) -> tuple[str, bool]:
    """What is wrong with signing in with a client, '' for nothing; and whether nobody can."""
    if not ways.pages_kept:
        return _NO_PAGES, True
    lost = [one for one, state in ways.allowed.items() if state != "there"]
    if not lost:
        return "", False
    all_lost = len(lost) == len(ways.allowed)
    states = {ways.allowed[one] for one in lost}
    became = " or ".join(sorted({"gone": "deleted", "shut out": "shut out"}[one] for one in states))
    named = _named(lost)
    if not all_lost:
        what = "An OAuth client that it lets in was" if len(lost) == 1 else "OAuth clients that it lets in were"
        return f"{what} {became}: {named}. {_cure(ways.slug, lost, states)}", False
    what = "The only OAuth client that it lets in was" if len(lost) == 1 else "All OAuth clients that it lets in were"
    return f"{what} {became}: {named}. {_cure(ways.slug, lost, states)}", True


def _cure(slug: str, lost: Sequence[str], states: set[ClientState]) -> str:
    if states == {"shut out"}:
        return "Let it in again with archway oauth-clients enable, or name another."
    return (
        f"Name another: archway gateways update {slug} --add-client CLIENT_ID. "
        f"Or take it away with --remove-client {lost[0]}; a gateway that names none lets in every client."
    )


def _named(clients: Sequence[str]) -> str:
    more = len(clients) - _MOST_NAMED
    return ", ".join(clients[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
