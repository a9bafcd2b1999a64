"""The form in which an entry is installed, and an installation given its answers again: a question for each field.

Called by the pages that install and change installations. A secret is never put back: where one is stored, the form
says so, and what is typed replaces it. Leaves out what may be answered.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from control.console.credential_form import SETTING_WORDS
from control.console.forms import Form
from control.credentials import dispatch
from control.registry.credential import CREDENTIAL, ClientCredentials
from control.registry.entry import Entry
from control.registry.fields import Field, as_text
from control.registry.installation import Installation

PREFIX: Final = "values."
"""Before the name of a field, as the API's paths have it."""
TAKE: Final = "take."
"""Before the name of a stored secret that may be taken away: a box to tick."""

_STORED: Final = "One is stored. Type another to replace it."
_OF_A_CLIENT: Final = (
    "Client secret or private key", "Sent to the provider alone, for tokens; a key as PEM, with its lines.",
)  # fmt: skip
_OF_A_KEY: Final = ("Key or token", "It is sent to the server with every call.")


@dataclass(frozen=True, slots=True)
class Question:
    """One field of the entry, as the form asks for it."""

    name: str
    """Of the field in the form."""
    key: str
    label: str
    hint: str
    type: str
    required: bool
    stored: bool
    """Whether a secret answer is kept: it stays where nothing is typed."""
    choices: tuple[tuple[str, str], ...] = ()


def questions(entry: Entry, kept: Installation | None = None) -> list[Question]:
    """What the entry asks, in its order; `kept`: the installation that answered before."""
    stored = set(kept.secret_names) if kept is not None else set()
    return [
        *map(_of_credential, dispatch.asks(entry.credential)),
        *(_question(one, one.name in stored) for one in entry.fields),
    ]


@dataclass(frozen=True, slots=True)
class CredentialQuestion:
    """The credential that an installation brings, as the form asks for it."""

    label: str
    hint: str
    """What is done with it; or, where one is stored, that it stays until another is typed."""
    lines: bool
    """Whether it may have several, as a key in PEM."""
    stored: bool


def credential_question(entry: Entry, kept: Installation | None = None) -> CredentialQuestion | None:
    """How the credential is asked for; None for an entry to which an installation brings none."""
    if dispatch.cure(entry.credential, ()) is None:
        return None
    of_client = isinstance(entry.credential, ClientCredentials)
    label, hint = _OF_A_CLIENT if of_client else _OF_A_KEY
    stored = kept is not None and CREDENTIAL in kept.secret_names
    return CredentialQuestion(label, _STORED if stored else hint, of_client, stored)


def form_of_answers(entry: Entry, kept: Installation | None = None) -> dict[str, str]:
    """What stands in the form: plain answers that were given, else defaults; of secrets nothing."""
    answers: Mapping[str, Any] = kept.plain_values if kept is not None else {}
    given = {f"{PREFIX}{one}": str(answers.get(one, "")) for one in dispatch.asks(entry.credential)}
    for one in entry.fields:
        answer = answers.get(one.name, one.default)
        given[f"{PREFIX}{one.name}"] = "" if one.type == "secret" or answer is None else as_text(answer)
    return given


def answers_of_form(entry: Entry, form: Form, stored: Collection[str] = ()) -> dict[str, Any]:
    """The answers as the API takes them: null for one that was left empty; of stored secrets those alone that were
    typed again, or are to be taken away.
    """
    answers: dict[str, Any] = {one: form.value(f"{PREFIX}{one}") or None for one in dispatch.asks(entry.credential)}
    for one in entry.fields:
        text = form.value(f"{PREFIX}{one.name}")
        if one.type == "secret" and not text and one.name in stored and not form.flag(f"{TAKE}{one.name}"):
            continue
        answers[one.name] = _answer(one, text)
    return answers


def _of_credential(name: str) -> Question:
    """What the kind of credential asks for itself, such as the identifier of a client."""
    label, hint = SETTING_WORDS.get(name, (name.replace("_", " ").capitalize(), ""))
    return Question(f"{PREFIX}{name}", name, label, hint, "string", required=True, stored=False)


def _question(one: Field, stored: bool) -> Question:
    hints = [one.description, _where(one)]
    if stored and one.type == "secret":
        hints.insert(0, _STORED)
    if one.default is not None:
        hints.append(f"Usually {as_text(one.default)}.")
    hint, required = " ".join(filter(None, hints)), one.required and one.default is None and not stored
    return Question(
        f"{PREFIX}{one.name}", one.name, one.title or one.name, hint, one.type, required, stored, _choices(one)
    )  # fmt: skip


def _where(one: Field) -> str:
    """Where the answer goes, in a sentence."""
    if one.header:
        return f"Sent as the header {one.header}."
    if one.target is not None:
        return f"Given to the server as the {one.target}."
    return f"Stands in the server's address or command, for {{{one.name}}}."


def _choices(one: Field) -> tuple[tuple[str, str], ...]:
    word = "choose one" if one.required else "not answered"
    unsaid = (("", word),) if not one.required or one.default is None else ()
    if one.type == "boolean":
        return (*unsaid, ("true", "yes"), ("false", "no"))
    return (*unsaid, *((option, option) for option in one.options)) if one.type == "select" else ()


def _answer(one: Field, text: str) -> Any:
    if not text:
        return None
    if one.type == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if one.type == "number":
        try:
            return float(text) if "." in text or "e" in text.lower() else int(text)
        except ValueError:
            return text  # the API says that it is no number
    return text
