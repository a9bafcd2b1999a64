"""How an entry stands to the egress policy of its environment: whether calls of its server can be permitted. Pure.

Asked when an entry is saved, and when the policy changes. What decides about a call is each connection that a proxy
opens (`core/egress/held.py`); here it is said beforehand, where the name alone says it. A placeholder in the host
stands for any label, or for each one that is offered, so that no answer leads where the policy does not.
"""

from collections.abc import Iterator
from typing import Final

from control.registry.broken_rule import BrokenRule
from control.registry.entry import Entry, Remote, bound_to
from control.registry.url_template import placeholders
from core.egress.held import Held, Reach, host_and_port, reach_of
from core.egress.rules import EgressRules

_ANY_LABEL: Final = "x" * 63
"""Stands for what somebody may answer: no rule that is meant for one host names it."""
_MOST_NAMED: Final = 10


def shut_out(entry: Entry) -> str:
    """The host and port that its environment's policy allows at no address, as people know them; '' for none."""
    return next((shown for shown, reach in _hosts(entry) if reach == "never"), "")


def held_warnings(entry: Entry) -> list[str]:
    """For whoever looks after an entry that is shut out, as by a policy that changed since it was saved."""
    why = why_shut_out(entry)
    return [f"Its calls are refused: it {why}."] if why else []


def held_to(entry: Entry) -> str:
    """To what proxies hold calls of a server that runs elsewhere, in a sentence; '' where to nothing."""
    if entry.held is None or not isinstance(entry.reached, Remote):
        return ""
    policy = f"the egress policy of the environment {entry.held.environment}"
    return f"Proxies hold its calls to {policy}, which allows {in_words(entry.held.rules)}."


def why_shut_out(entry: Entry) -> str:
    """Where an entry that its environment's policy shuts out leads, and whose policy it is, behind "it"; '' for one
    that is not shut out by name.
    """
    host = shut_out(entry)
    return f"leads to {_not_allowed(host, entry.held)}" if host and entry.held else ""


def to_let_in(entry: Entry) -> str:
    """What whoever decides about an entry that is refused by its environment's policy may do: a sentence."""
    doubted = [shown for shown, reach in _hosts(entry) if reach != "wherever"]
    named = ", ".join(doubted[:_MOST_NAMED]) or f"the host of {entry.slug}"
    return f"Allow {named} there, or move the entry {entry.slug} to another environment."


def is_permitted(entry: Entry) -> bool:
    """Whether its policy permits all that its URL may lead to by name, whatever the addresses are."""
    return all(reach == "wherever" for _, reach in _hosts(entry))


def check_held(entry: Entry, before: Entry | None) -> None:
    """BrokenRule for an entry that its environment's policy shuts out, unless it was shut out as it stands: then
    other things of it may be changed.
    """
    host = shut_out(entry)
    if not host or entry.held is None:
        return
    moved = before is None or before.environment_id != entry.environment_id
    same_url = before is not None and bound_to(before.reached) == bound_to(entry.reached)
    if same_url and not moved:
        return
    raise BrokenRule("environment_id" if same_url else "url", f"leads to {_not_allowed(host, entry.held)}")


def in_words(rules: EgressRules) -> str:
    """What rules allow, for a sentence; at most ten places are named."""
    if rules.mode == "all":
        return "everything"
    places = [f"{one} on {' '.join(group.ports)}" for group in rules.groups for one in (*group.domains, *group.cidrs)]
    more = f" and {len(places) - _MOST_NAMED} more" if len(places) > _MOST_NAMED else ""
    return (", ".join(places[:_MOST_NAMED]) or "nothing") + more


def _not_allowed(host: str, held: Held) -> str:
    policy = f"the egress policy of the environment {held.environment}"
    return f"{host}, which {policy} does not allow: it allows {in_words(held.rules)}"


def _hosts(entry: Entry) -> Iterator[tuple[str, Reach]]:
    """Each host that the URL of an entry may lead to, with its port, and how its policy stands to it."""
    if entry.held is None or not isinstance(entry.reached, Remote):
        return
    for shown, url in _urls(entry, entry.reached.url):
        yield _shown(shown), reach_of(entry.held.rules, *host_and_port(url))


def _urls(entry: Entry, url: str) -> Iterator[tuple[str, str]]:
    """For each such host a URL as people know it, and one with a host that can be judged."""
    label = next((name for name, part in placeholders(url).items() if part == "host label"), "")
    offered = next((one.options for one in entry.fields if one.name == label and one.type == "select"), ())
    if not label or not offered:
        yield url, url.replace(f"{{{label}}}", _ANY_LABEL) if label else url
    for option in offered:
        filled = url.replace(f"{{{label}}}", option.lower())
        yield filled, filled


def _shown(url: str) -> str:
    host, port = host_and_port(url)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
