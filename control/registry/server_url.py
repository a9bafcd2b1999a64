"""The URL at which an installation's server is asked: its entry's, with the placeholders filled by its answers.

Called wherever such a server is asked, and where it is said what a secret is bound to, so that one function makes
every one of these URLs. Nothing keeps what it makes: it is made again of the two rows, so that it is never older than
they are. Pure.
"""

from collections.abc import Mapping
from typing import Any, assert_never

from control.registry.entry import EntryFields, Reached, Remote
from control.registry.fields import as_text, check_answers
from control.registry.url_template import fill_template, placeholders
from core.egress.addresses import AddressPolicy


def is_whole(entry: EntryFields) -> bool:
    """Whether the entry's URL is one as it stands; else there is none before somebody installs the entry."""
    return not placeholders(_url_of(entry.reached))


def server_url(entry: EntryFields, given: Mapping[str, Any], policy: AddressPolicy) -> str:
    """The URL with these answers, among others that it does not need; BrokenRule names an answer that does not fit.

    A default stands in for an answer that is not given.
    """
    url = _url_of(entry.reached)
    if is_whole(entry):
        return url
    asked = [one for one in entry.fields if one.fills_url]
    needed = {one.name: given[one.name] for one in asked if one.name in given}
    answers = check_answers(asked, needed, policy).plain
    return fill_template(url, {name: as_text(one) for name, one in answers.items()}, policy)


def _url_of(reached: Reached) -> str:
    match reached:
        case Remote(url):
            return url
    assert_never(reached)
