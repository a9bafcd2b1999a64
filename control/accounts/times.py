"""When tokens are renewed, and how long a provider is left alone that gives none, or whose tokens a server refuses.

Called by all that gives an account its tokens, by `renewals.py` and by `one_renewal.py`. `luck`: a number from 0 to
1, so that accounts which came together are not renewed together. Pure.
"""

from datetime import datetime, timedelta
from typing import Final

from control.registry.account import Account
from control.registry.installation import Installation

_MOST_AHEAD: Final = timedelta(minutes=5)
_SHARE_AHEAD: Final = 0.2
_FIRST_REST: Final = timedelta(seconds=5)
LONGEST_REST: Final = timedelta(minutes=5)
FRESH: Final = timedelta(seconds=30)
"""A token that is younger is not renewed because its server refuses it: the next one would be refused too."""
LONGEST_FRESH: Final = timedelta(minutes=15)
"""The same of a token whose forerunners were all refused."""


def next_refresh(
    ends: datetime | None, now: datetime, luck: float, least: timedelta = timedelta(0)
) -> datetime | None:
    """When the background asks for the next tokens: ahead of the end by a fifth of the life, at most five minutes,
    and up to twice that by luck; or by `least`, where that is more, but never before half of the life. None where the
    end is not known.
    """
    if ends is None:
        return None
    life = max(ends - now, timedelta(0))
    usual = min(_MOST_AHEAD, life * _SHARE_AHEAD) * (1 + luck)
    return ends - max(usual, min(least * (1 + luck / 4), life / 2))


def rest_after(failing_since: datetime | None, now: datetime, wanted_s: float, luck: float) -> timedelta:
    """How long a provider is left alone that gave no tokens: as long as it has failed already, from five seconds to
    five minutes, a quarter more or less by luck; and never shorter than it wants.
    """
    failing = now - failing_since if failing_since is not None else timedelta(0)
    rest = min(max(failing, _FIRST_REST), LONGEST_REST) * (0.75 + luck / 2)
    return max(rest, timedelta(seconds=wanted_s) * (1 + luck / 10))


def fresh_for(account: Account, installation: Installation) -> timedelta:
    """How long after a renewal the server's refusals ask for none. Each renewal that helped nothing makes that twice
    as long, up to a quarter of an hour, so that a server which refuses whatever it gets does not have a provider
    asked for tokens all day. A discovery that the server answered since then shows that the token is good.
    """
    if _was_seen_to_work(account, installation):
        return FRESH
    doubled = min(max(account.refusals - 1, 0), 10)
    return min(FRESH * (1 << doubled), LONGEST_FRESH)


def refusals_with(account: Account, installation: Installation, now: datetime) -> int:
    """How many renewals in a row the server's refusals have asked for, with one that is made now. One that is due by
    itself changes nothing; where the token before was good for much longer than the last wait, they begin at one.
    """
    is_due = account.refresh_at is not None and account.refresh_at <= now
    if is_due or not account.lives_at(now):
        return account.refusals
    was_good = now - account.refreshed_at > 2 * fresh_for(account, installation)
    return 1 if was_good or _was_seen_to_work(account, installation) else account.refusals + 1


def _was_seen_to_work(account: Account, installation: Installation) -> bool:
    """Whether the server has answered a discovery with the token of now."""
    found = installation.discovered_at
    return installation.state == "ready" and found is not None and found > account.refreshed_at
