"""A person's session in a browser, and how long one lasts.

Made by `control/store/browser_sessions.py` of a row, begun and ended by `control/sign_in/session.py`. The secret that
the cookie holds is kept nowhere, its digest only. Rules only; no I/O.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

Method = Literal["password", "link", "oidc"]
"""How the person proved who they are."""
IDLE: Final = timedelta(hours=12)
"""A session that nobody used for so long is over: a night at home, and not a weekend."""
LONGEST: Final[dict[Method, timedelta]] = {
    "password": timedelta(days=7),
    "link": timedelta(days=7),
    "oidc": timedelta(hours=8),
}
"""A session is over after this, however much it is used. A person who has vanished at their identity provider is out
with the shortest."""
MOST_OF_ONE_PERSON: Final = 50
"""The oldest ends where another begins."""
USE_IS_NEWS_AFTER: Final = timedelta(minutes=5)
"""When a session was last used is written no more often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """What a new session of a person who signed in is made of."""

    user_id: str
    method: Method
    provider_id: str | None
    """The identity provider that vouched for the person; None where none did."""
    csrf: str
    """Goes into each form of the session's pages, and must come back with it."""
    address: str
    """From where it was begun."""
    agent: str
    """The browser, in its own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserSession(NewSession):
    """A session of a person who signed in, in one browser."""

    id: str
    created_at: datetime
    last_used_at: datetime
    """To some minutes."""
    expires_at: datetime
    """However much it is used. This and the other times are by the clock of the database."""

    @property
    def age(self) -> timedelta:
        """The longest that it may last, for the browser's cookie: whatever anybody's clock says."""
        return self.expires_at - self.created_at


def told_of_session(session: BrowserSession) -> dict[str, Any]:
    """All that people are told of a session; nothing in it lets anybody use it."""
    names = (
        "id", "user_id", "method", "provider_id", "address", "agent", "created_at", "last_used_at", "expires_at",
    )  # fmt: skip
    return {name: getattr(session, name) for name in names}
