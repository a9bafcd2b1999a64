"""What makes an entry one that can be saved: how it is reached, its fixed headers, fields and visibility together.

Called with the whole entry as it would be after the write, so that a change of one part is judged with all others.
Its credential is checked before, by the file of its kind (`control/credentials/dispatch.py`).
"""

from dataclasses import dataclass, replace
from typing import assert_never

from control.registry.broken_rule import BrokenRule
from control.registry.commands import SENTENCE, is_command
from control.registry.credential import CheckedCredential
from control.registry.entry import Entry, Reached, Remote, WantedEntry
from control.registry.fields import check_fields
from control.registry.headers import check_fixed_headers
from control.registry.slugs import check_slug
from control.registry.team_entries import check_shown_to_its_team
from control.registry.url_template import check_template, placeholders
from control.registry.visibility import check_visibility
from control.registry.without_scheme import did_you_mean
from core.egress.addresses import ANYWHERE, AddressPolicy, UrlRefused, check_url


@dataclass(frozen=True, slots=True)
class CheckedEntry:
    """An entry that can be saved once its fixed headers are sealed."""

    entry: WantedEntry
    """Everything in the form that the row keeps. No fixed headers: the sealed ones stay."""
    fixed_header_names: tuple[str, ...]


def check_entry(
    wanted: WantedEntry, credential: CheckedCredential, policy: AddressPolicy, before: Entry | None = None
) -> CheckedEntry:
    """The checked entry, or BrokenRule. `before` is the entry that is being changed.

    Fixed headers may be a credential, so they do not follow the entry to another URL: they are given again.
    """
    check_visibility(wanted.visibility, wanted.teams, None)
    check_shown_to_its_team(wanted)
    reached = _checked_reached(wanted.reached, policy)
    # A docs link is opened by a person's browser and never by us.
    docs_url = _checked_url(wanted.docs_url, ANYWHERE, "docs_url") if wanted.docs_url else ""
    fixed_headers, names = wanted.fixed_headers, before.fixed_header_names if before else ()
    if fixed_headers is not None:
        fixed_headers = check_fixed_headers(fixed_headers)
        names = tuple(fixed_headers)
    elif before and names and before.reached != reached:
        raise BrokenRule("fixed_headers", f"were given for {before.reached.url}; give them again for the new url")
    _check_shared_headers(wanted, reached, names)
    for name in credential.fills:
        if name in names:
            raise BrokenRule("credential_placement", f"fills {name}, which is a fixed header already; choose one")
    for number, one in enumerate(wanted.fields):
        if one.name in credential.asks:
            raise BrokenRule(
                f"fields[{number}].name", f"{one.name!r} is asked for the credential; choose another name"
            )
    fields = check_fields(wanted.fields, credential.fills, names, policy, placeholders(reached.url))
    check_slug(wanted.slug)
    checked = replace(
        wanted, reached=reached, docs_url=docs_url, fixed_headers=fixed_headers,
        credential=credential.credential, fields=fields,
    )  # fmt: skip
    return CheckedEntry(checked, names)


def _check_shared_headers(wanted: WantedEntry, reached: Reached, names: tuple[str, ...]) -> None:
    """Fixed headers may be a key that all share: no answer of one person chooses the host that gets it."""
    chosen = [name for name, part in placeholders(reached.url).items() if part == "host label"]
    open_ones = [one.name for one in wanted.fields if one.name in chosen and one.type != "select"]
    if names and open_ones:
        raise BrokenRule(
            "fixed_headers",
            f"would go to any host that somebody answers for {open_ones[0]!r}; make it a field of the type 'select', "
            "or ask each installation for the header",
        )


def _checked_reached(reached: Reached, policy: AddressPolicy) -> Reached:
    match reached:
        case Remote(url):
            try:
                return Remote(_checked_template(url, policy))
            except BrokenRule:
                if is_command(url):
                    raise BrokenRule("url", SENTENCE) from None
                if meant := did_you_mean(url):
                    raise BrokenRule("url", f"must begin with https:// or http://{meant}") from None
                raise
    assert_never(reached)


def _checked_template(url: str, policy: AddressPolicy) -> str:
    try:
        return check_template(url, policy)
    except UrlRefused as refused:
        raise BrokenRule("url", str(refused).removeprefix("url: ")) from None


def _checked_url(url: str, policy: AddressPolicy, field_name: str) -> str:
    try:
        return check_url(url, policy, purpose=field_name)
    except UrlRefused as refused:
        raise BrokenRule(field_name, str(refused).removeprefix(f"{field_name}: ")) from None
