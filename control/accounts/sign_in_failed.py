"""Why a sign-in at a server's provider came to nothing: a sentence with cause and cure for each way.

Raised by `sign_ins.py`, shown by the install page. No token and no text of a provider is in a sentence, but its error
word.
"""

from typing import Final

from control.credentials.upstream_oauth.token_answer import Away, Refused
from control.providers.browser_round import BadReturn

_AGAIN: Final = "Begin again"


class SignInFailed(Exception):
    """A sign-in that came to nothing; nothing was stored. `why`: a word for the log. `begin_again`: where a person
    begins again, '' where that is not known.
    """

    def __init__(self, why: str, sentence: str, begin_again: str = "") -> None:
        super().__init__(sentence)
        self.why = why
        self.begin_again = begin_again


def not_known() -> SignInFailed:
    """An answer to nothing that is under way."""
    return SignInFailed(
        "state",
        "No sign-in waits for this answer: it took longer than ten minutes, or was cancelled. Open the link that "
        "you had once more and begin again.",
    )


def of_another() -> SignInFailed:
    """An answer that another browser or person brought."""
    return SignInFailed(
        "other_browser",
        "This sign-in was begun in another browser, or by somebody else, so nothing was connected. Whoever wants to "
        "connect opens the link and signs in to Archway in one and the same browser.",
    )


def elsewhere(begin_again: str) -> SignInFailed:
    """An answer that came to the callback of another entry than the sign-in began at."""
    return SignInFailed(
        "elsewhere",
        "This answer came from another provider than the one that you were sent to, so it was used for nothing. "
        "Begin again; if it happens once more, tell an admin which server you wanted to connect.",
        begin_again,
    )


def replayed(begin_again: str) -> SignInFailed:
    """An answer that came before."""
    return SignInFailed(
        "replay",
        "This answer of the provider has come before, and each counts once. If you went back or reloaded the page, "
        "begin again.",
        begin_again,
    )


def moved(name: str, begin_again: str) -> SignInFailed:
    """The entry is another one than when the sign-in began."""
    return SignInFailed(
        "moved",
        f"{name} was changed while you were away: its server or its provider is another one, so what you got is "
        "not used. Begin again.",
        begin_again,
    )


def bad_return(bad: BadReturn, host: str, begin_again: str) -> SignInFailed:
    """What came back from the provider is no code for us."""
    sentences = {
        "denied": f"{host} did not let you in, or you did not agree there. {_AGAIN} if you want to connect.",
        "issuer": f"The answer came from another provider than {host}, which was asked, so it is not used. {_AGAIN}; "
        "if it happens again, tell an admin: somebody may be between you and the provider.",
        "no_code": f"{host} sent you back without a code. {_AGAIN}; if it happens again, tell an admin.",
        "refused": f"{host} answered {bad.error or 'with an error'}. Try again in a moment; if it happens again, an "
        "admin can look at the entry's provider settings (client, callback URL, scopes).",
    }
    return SignInFailed(bad.why, sentences.get(bad.why, str(bad)), begin_again)


def not_redeemed(outcome: Refused | Away, begin_again: str) -> SignInFailed:
    """The provider did not give tokens for the code."""
    if isinstance(outcome, Away):
        return SignInFailed("away", f"No tokens came: {outcome.why}. Try again in a moment.", begin_again)
    if outcome.is_invalid_grant:
        return SignInFailed("code", "The provider does not take its own code any more. Begin again.", begin_again)
    return SignInFailed(
        "refused_code",
        f"No tokens came: {outcome.sentence}. An admin can look at the entry's client: its ID, its secret and how it "
        "proves itself.",
        begin_again,
    )
