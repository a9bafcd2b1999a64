"""Why a sign-in at a server's provider came to nothing: its cause and its cure, a sentence each, for each way.

Raised by `sign_ins.py`, shown by the install page, and noted where an admin looks
(`control/console/noted_connections.py`). No token and no text of a provider is in a sentence, but its error word.
"""

from typing import Final

from control.credentials.upstream_oauth.token_answer import Away, Refused
from control.providers.browser_round import BadReturn

_AGAIN: Final = "Begin again."
_TELL: Final = "Begin again; if it happens once more, tell an admin"


class SignInFailed(Exception):
    """A sign-in that came to nothing; nothing was stored. `why`: a word for the log. `begin_again`: where a person
    begins again, '' where that is not known. `entry`: the slug of its entry, once that is known.
    """

    def __init__(self, why: str, cause: str, cure: str, begin_again: str = "", entry: str = "") -> None:
        super().__init__(f"{cause} {cure}")
        self.why = why
        self.cause = cause
        self.cure = cure
        self.begin_again = begin_again
        self.entry = entry


def not_known() -> SignInFailed:
    """An answer to nothing that is under way."""
    return SignInFailed(
        "state",
        "No sign-in waits for this answer: it took longer than ten minutes, or was cancelled.",
        "Open the link that you had once more and begin again.",
    )


def of_another(entry: str) -> SignInFailed:
    """An answer that another browser or person brought."""
    return SignInFailed(
        "other_browser",
        "This sign-in was begun in another browser, or by somebody else, so nothing was connected.",
        "Whoever wants to connect opens the link and signs in to Archway in one and the same browser.",
        entry=entry,
    )


def elsewhere(begin_again: str) -> SignInFailed:
    """An answer that came to the callback of another entry than the sign-in began at."""
    return SignInFailed(
        "elsewhere",
        "This answer came from another provider than the one that you were sent to, so it was used for nothing.",
        f"{_TELL} which server you wanted to connect.",
        begin_again,
    )


def replayed(begin_again: str, entry: str) -> SignInFailed:
    """An answer that came before."""
    return SignInFailed(
        "replay",
        "This answer of the provider has come before, and each counts once.",
        "If you went back or reloaded the page, begin again.",
        begin_again,
        entry,
    )


def moved(name: str, begin_again: str) -> SignInFailed:
    """The entry is another one than when the sign-in began."""
    return SignInFailed(
        "moved",
        f"{name} was changed while you were away: its server or its provider is another one, so what you got is "
        "not used.",
        _AGAIN,
        begin_again,
    )


def bad_return(bad: BadReturn, host: str, begin_again: str) -> SignInFailed:
    """What came back from the provider is no code for us."""
    told = {
        "denied": (
            f"{host} did not let you in, or you did not agree there.",
            "Begin again if you want to connect.",
        ),
        "issuer": (
            f"The answer came from another provider than {host}, which was asked, so it is not used.",
            f"{_TELL}: somebody may be between you and the provider.",
        ),
        "no_code": (f"{host} sent you back without a code.", f"{_TELL}."),
        "refused": (
            f"{host} answered {bad.error or 'with an error'}.",
            "Try again in a moment; if it happens again, an admin can look at the entry's provider settings (client, "
            "callback URL, scopes).",
        ),
    }
    cause, cure = told.get(bad.why, (str(bad), _AGAIN))
    return SignInFailed(bad.why, cause, cure, begin_again)


def not_redeemed(outcome: Refused | Away, begin_again: str) -> SignInFailed:
    """The provider did not give tokens for the code."""
    if isinstance(outcome, Away):
        return SignInFailed("away", f"No tokens came: {outcome.why}.", "Try again in a moment.", begin_again)
    if outcome.is_invalid_grant:
        return SignInFailed("code", "The provider does not take its own code any more.", _AGAIN, begin_again)
    return SignInFailed(
        "refused_code",
        f"No tokens came: {outcome.sentence}.",
        "An admin can look at the entry's client: its ID, its secret and how it proves itself.",
        begin_again,
    )
