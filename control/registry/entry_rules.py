"""What makes an entry one that can be saved: how it is reached, its fixed headers, fields and visibility together.

Called with the whole entry as it would be after the write, so that a change of one part is judged with all others.
Its credential is checked before, by the file of its kind (`control/credentials/dispatch.py`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, assert_never

from control.registry.broken_rule import BrokenRule
from control.registry.caller_statement import CallerStatement, check_caller_statement
from control.registry.commands import SENTENCE, is_command
from control.registry.credential import CheckedCredential
from control.registry.entry import Entry, Reached, Remote, WantedEntry, bound_to
from control.registry.fields import ONLY_HEADERS, Field, Place, check_fields, claim
from control.registry.headers import check_fixed_headers
from control.registry.self_hosted import SelfHosted
from control.registry.self_hosted_rules import check_run, check_run_secrets
from control.registry.slugs import check_slug
from control.registry.targets import Target, TargetKind, header
from control.registry.team_entries import check_shown_to_its_team
from control.registry.url_template import check_template, placeholders
from control.registry.visibility import check_visibility
from control.registry.without_scheme import did_you_mean
from core.egress.addresses import ANYWHERE, AddressPolicy, UrlRefused, check_url

_OF_A_PROGRAM: Final = (
    "must be 'bearer', 'authorization' or 'header': only a server that Archway runs is given a {} at its start"
)
_WRONG_STYLE: Final[Mapping[TargetKind, str]] = MappingProxyType(
    {
        "header": "must be 'variable' or 'file': a program over stdio gets no headers",
        "variable": _OF_A_PROGRAM.format("variable"),
        "file": _OF_A_PROGRAM.format("file"),
    }
)
"""Why a credential is not placed so, where the server takes nothing of that kind."""


@dataclass(frozen=True, slots=True)
class CheckedEntry:
    """An entry that can be saved once its fixed headers are sealed."""

    entry: WantedEntry
    """Everything in the form that the row keeps. No fixed headers, or no secrets: the sealed ones stay."""
    fixed_header_names: tuple[str, ...]
    run_secret_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Server:
    """How an entry's server is reached, checked, and what can be filled there."""

    reached: Reached
    places: Mapping[str, Place]
    taken: Mapping[Target, str]
    """What the entry itself fills, fixed headers apart."""
    targets: Collection[TargetKind]
    """What fields may fill."""


def check_entry(
    wanted: WantedEntry, credential: CheckedCredential, policy: AddressPolicy, before: Entry | None = None
) -> CheckedEntry:
    """The checked entry, or BrokenRule. `before` is the entry that is being changed.

    Fixed headers may be a credential, so they do not follow the entry to another URL: they are given again. Nor do
    the secrets of a server that we run follow it to another image or command.
    """
    check_visibility(wanted.visibility, wanted.teams, None)
    check_shown_to_its_team(wanted)
    if before and before.run_secret_names and wanted.run_secrets is None:
        _check_kept(before, wanted.reached, "run_secrets")
    run_secret_names = _names(wanted.run_secrets, before.run_secret_names if before else ())
    server = _checked_server(wanted.reached, run_secret_names, policy)
    # A docs link is opened by a person's browser and never by us.
    docs_url = _checked_url(wanted.docs_url, ANYWHERE, "docs_url") if wanted.docs_url else ""
    fixed_headers, run_secrets = wanted.fixed_headers, wanted.run_secrets
    if fixed_headers is not None:
        fixed_headers = check_fixed_headers(fixed_headers)
    elif before and before.fixed_header_names:
        _check_kept(before, server.reached, "fixed_headers")
    names = _names(fixed_headers, before.fixed_header_names if before else ())
    if run_secrets is not None:
        run_secrets = check_run_secrets(run_secrets, _mounted(server.reached))
    if names and "header" not in server.targets:
        raise BrokenRule("fixed_headers", "must be none: a program over stdio gets no headers; use run_secrets")
    _check_shared_headers(wanted, server.reached, names)
    taken = {**server.taken, **{header(name): "the entry's fixed headers" for name in names}}
    for target in credential.fills:
        if target.kind not in server.targets:
            raise BrokenRule("credential_placement.style", _WRONG_STYLE[target.kind])
        claim(taken, target, "the credential", "credential_placement")
    for number, one in enumerate(wanted.fields):
        if one.name in credential.asks:
            raise BrokenRule(
                f"fields[{number}].name", f"{one.name!r} is asked for the credential; choose another name"
            )
    fields = check_fields(wanted.fields, taken, policy, server.places, server.targets)
    check_slug(wanted.slug)
    statement = _checked_statement(wanted, server, taken, fields)
    checked = replace(
        wanted, reached=server.reached, docs_url=docs_url, fixed_headers=fixed_headers, run_secrets=run_secrets,
        credential=credential.credential, fields=fields, caller_statement=statement,
    )  # fmt: skip
    return CheckedEntry(checked, names, run_secret_names)


def _checked_statement(
    wanted: WantedEntry, server: _Server, taken: Mapping[Target, str], fields: Collection[Field]
) -> CallerStatement | None:
    if wanted.caller_statement is None:
        return None
    others = {target.name: whose for target, whose in taken.items() if target.kind == "header"}
    others |= {one.header: f"the field {one.name!r}" for one in fields if one.header}
    return check_caller_statement(
        wanted.caller_statement, others, takes_headers="header" in server.targets, isolation=wanted.isolation
    )


def _names(given: Mapping[str, str] | None, kept: tuple[str, ...]) -> tuple[str, ...]:
    return kept if given is None else tuple(sorted(given))


def _check_kept(before: Entry, reached: Reached, field: str) -> None:
    """What was given for one server is given again for another."""
    given_for, now = bound_to(before.reached), bound_to(reached)
    if given_for != now:
        what = "url" if isinstance(reached, Remote) else "image, command, or programs before it"
        raise BrokenRule(field, f"were given for {given_for}; give them again for the new {what}")


def _mounted(reached: Reached) -> tuple[str, ...]:
    return reached.mounted if isinstance(reached, SelfHosted) else ()


def _check_shared_headers(wanted: WantedEntry, reached: Reached, names: tuple[str, ...]) -> None:
    """Fixed headers may be a key that all share: no answer of one person chooses the host that gets it."""
    places = placeholders(reached.url) if isinstance(reached, Remote) else {}
    chosen = [name for name, part in places.items() if part == "host label"]
    open_ones = [one.name for one in wanted.fields if one.name in chosen and one.type != "select"]
    if names and open_ones:
        raise BrokenRule(
            "fixed_headers",
            f"would go to any host that somebody answers for {open_ones[0]!r}; make it a field of the type 'select', "
            "or ask each installation for the header",
        )


def _checked_server(reached: Reached, run_secret_names: tuple[str, ...], policy: AddressPolicy) -> _Server:
    match reached:
        case Remote(url):
            if run_secret_names:
                raise BrokenRule("run_secrets", "go with a server that Archway runs; leave them out")
            checked = _checked_remote(url, policy)
            return _Server(Remote(checked), placeholders(checked), {}, ONLY_HEADERS)
        case SelfHosted():
            run = check_run(reached, run_secret_names)
            targets: tuple[TargetKind, ...] = ("variable", "file")
            if reached.transport == "http":
                targets = ("header", *targets)
            return _Server(run.run, dict.fromkeys(run.places, "argument"), run.taken, targets)
    assert_never(reached)


def _checked_remote(url: str, policy: AddressPolicy) -> str:
    if not url:
        raise BrokenRule("url", "is needed for a server that runs elsewhere; one that Archway runs needs `run`")
    try:
        return _checked_template(url, policy)
    except BrokenRule:
        if is_command(url):
            raise BrokenRule("url", SENTENCE) from None
        if meant := did_you_mean(url):
            raise BrokenRule("url", f"must begin with https:// or http://{meant}") from None
        raise


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
