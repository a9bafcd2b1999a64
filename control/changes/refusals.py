"""Why a change is not made, beside a broken rule (`control/registry/broken_rule.py`) and a clash of rows.

Raised by every module here before anything is written. Who called says it in the words of their protocol; the admin
API makes problems of them (404, 403, 409, 412). A sentence never repeats a value: it may be a secret.
"""

from collections.abc import Iterable, Sequence


class Refused(Exception):
    """A change that is not made; the sentence says why, and what can be done."""


class NotThere(Refused):
    """There is no such object, or the actor may not see it: the two are never told apart."""

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no such {what}, or you may not see it.")
        self.what = what


class NotAllowed(Refused):
    """The actor may see the object, and may not do this."""


class NotNow(Refused):
    """The change is in order, but not as things stand; `fields` are names of fields, each with what to do."""

    def __init__(self, sentence: str, fields: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(sentence)
        self.fields = tuple(fields)


class Stale(Refused):
    """The object was changed after the actor read it."""

    def __init__(self) -> None:
        super().__init__("Somebody else changed this meanwhile: read it again, then repeat your change.")


def refuse_stale(read: int | None, now: int) -> None:
    """Raise Stale unless the row still has the version that the actor read; None: whatever it is now."""
    if read is not None and read != now:
        raise Stale


def refuse_in_use(what: str, dependents: Sequence[str], *, cascade: bool) -> None:
    """Raise NotNow that names what depends on an object which is to go; `cascade`: it may go too.

    How `cascade` is asked for is said by whoever answers the actor.
    """
    if dependents and not cascade:
        raise NotNow(
            f"The {what} is in use by {', '.join(dependents)}. Delete those first.",
            [("cascade", f"is needed, to delete {used} too") for used in dependents],
        )
