"""What becomes of a letter from another worker, or from this one: each kind goes to the part that it is for."""

from proxy.deps import Deps
from proxy.sessions.mailbox import Letter
from proxy.sessions.pending_questions import answered_in


def deliver(letter: Letter, deps: Deps) -> None:
    """Do what a letter says, where it concerns this worker."""
    match letter.kind:
        case "cancel":
            deps.calls.cancel((letter.jti, letter.id))
        case "level":
            deps.sessions.hears_from(letter.jti, str(letter.id))
        case "answer":
            deps.questions.answer(letter.jti, letter.id, answered_in(letter.body))
        case "subscribed":
            deps.subscriptions.changed(letter.jti)
        case "resume" | "resumes" | "resumed":
            deps.suspended.deliver(letter)
        case "ended":
            deps.sessions.end_here(letter.jti)
            deps.questions.end_session(letter.jti)
