"""The URL at which an installation's server is asked: its entry's, with the placeholders filled by its answers.

Called wherever such a server is asked, and where it is said what a secret is bound to, so that one function makes
every one of these URLs. A server that we run has none in its rows: where it answers, its runtime says. Its secrets
are bound to what runs. Nothing keeps what is made here: it is made again of the two rows, so that it is never older
than they are. Pure.
"""

from collections.abc import Mapping
from typing import Any, assert_never

from control.registry.arguments import filled_command
from control.registry.entry import EntryFields, Remote
from control.registry.fields import as_text, check_answers
from control.registry.origin import origin_of
from control.registry.self_hosted import SelfHosted, what_runs
from control.registry.url_template import fill_template, placeholders
from core.egress.addresses import AddressPolicy


def whole_url(entry: EntryFields) -> str | None:
    """The entry's URL where it is one as it stands; None where only an installation says where its server is."""
    match entry.reached:
        case Remote(url):
            return None if placeholders(url) else url
        case SelfHosted():
            return None
    assert_never(entry.reached)


def server_url(entry: EntryFields, given: Mapping[str, Any], policy: AddressPolicy) -> str:
    """The URL with these answers, among others that it does not need; '' for a server that we run. BrokenRule names
    an answer that does not fit.

    A default stands in for an answer that is not given.
    """
    match entry.reached:
        case Remote(url):
            return url if whole_url(entry) else fill_template(url, placed(entry, given, policy), policy)
        case SelfHosted():
            return ""
    assert_never(entry.reached)


def server_place(entry: EntryFields, given: Mapping[str, Any], policy: AddressPolicy) -> str:
    """What an installation with these answers is, as one text that secrets are bound to: the URL of its server, or
    image and command of one that we run. BrokenRule as `server_url`.
    """
    match entry.reached:
        case Remote():
            return server_url(entry, given, policy)
        case SelfHosted():
            return what_runs(entry.reached, filled_command(entry.reached.command, placed(entry, given, policy)))
    assert_never(entry.reached)


def origin_at(entry: EntryFields, place: str) -> str:
    """The origin of what `server_place` said; of a server that we run, the same text."""
    return origin_of(place) if isinstance(entry.reached, Remote) else place


def placed(entry: EntryFields, given: Mapping[str, Any], policy: AddressPolicy) -> dict[str, str]:
    """The answers that fill placeholders, as texts, by their names; BrokenRule for a missing or wrong one."""
    asked = [one for one in entry.fields if one.fills_place]
    needed = {one.name: given[one.name] for one in asked if one.name in given}
    return {name: as_text(one) for name, one in check_answers(asked, needed, policy).plain.items()}
