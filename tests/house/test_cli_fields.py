"""The command line held against the admin API, operation by operation and field by field.

The command line repeats the API's fields with a sentence each, and does not import their models: those take longer to
import than everything else that a command does. So nothing but this test tells when a field is forgotten.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from archway.admin import (
    egress_presets,
    entries,
    environments,
    external_principals,
    gateways,
    history,
    identity_providers,
    installations,
    oauth,
    people,
    pull_secrets,
    roles,
    sign_in,
    sign_ins,
)
from archway.admin.resource import Option, Resource
from control.admin.api import Operation
from control.admin.app import RESOURCES
from tests.all_commands_once import commands

PAGING = {"limit", "cursor"}
"""Of every list; the command line goes through the pages by itself."""
BY_HAND = {
    "GET /teams/{team_id}/members": "teams members",
    "PUT /teams/{team_id}/members/{user_id}": "teams add",
    "DELETE /teams/{team_id}/members/{user_id}": "teams remove",
    "POST /environments/{environment_id}/probe": "environments probe",
    "GET /permissions": "roles permissions",
    "GET /me/claims": "users my-claims",
    "GET /roles/{role_id}/holders": "roles holders",
    "PUT /roles/{role_id}/holders/{user_id}": "roles give",
    "DELETE /roles/{role_id}/holders/{user_id}": "roles take",
    "GET /users/{user_id}/links": "users links",
    "POST /users/{user_id}/links": "users invite",
    "DELETE /users/{user_id}/links/{link_id}": "users take-back-link",
    "POST /tokens/identify": "tokens identify",
    "POST /tokens/{token_id}/revoke": "tokens revoke",
    "POST /users/{user_id}/revoke-tokens": "tokens revoke",
    "POST /oauth-clients/{oauth_client_id}/renew-secret": "oauth-clients renew-secret",
    "POST /oauth-clients/{oauth_client_id}/revoke-grants": "grants revoke",
    "POST /grants/{grant_id}/revoke": "grants revoke",
    "POST /users/{user_id}/revoke-grants": "grants revoke",
    "POST /revocations/tokens/{token_id}": "revoke token",
    "POST /revocations/clients/{oauth_client_id}": "revoke client",
    "POST /revocations/grants/{grant_id}": "revoke grant",
    "POST /revocations/sessions/{session_id}": "revoke session",
    "POST /revocations/client-sessions/{client_session}": "revoke session",
    "POST /revocations/providers/{provider_id}": "revoke provider",
    "POST /revocations/users/{user_id}": "revoke user",
    "POST /revocations/external-principals/{external_principal_id}": "revoke external-principal",
    "GET /environments/{environment_id}/usage": "environments usage",
    "GET /entries/{entry_id}/tools": "entries tools",
    "GET /entries/{entry_id}/sign-in": "entries sign-in",
    "PUT /installations/{installation_id}/account": "installations deposit",
    "DELETE /installations/{installation_id}/account": "installations disconnect",
    "GET /installations/{installation_id}/logs": "installations logs",
    "GET /records/{record_id}": "records show",
    "POST /gateways/{gateway_id}/explain": "explain",
    "POST /entries/{entry_id}/override/preview": "entries override",
    "PATCH /entries/{entry_id}/tools/{tool_id}": "entries quarantine",
    "GET /identity-providers/{provider_id}/people": "identity-providers people",
    "DELETE /identity-providers/{provider_id}/people/{identity_id}": "identity-providers unlink",
}
"""Operations whose command is written out, and not made of a resource's description."""
NOT_ON_THE_COMMAND_LINE = {
    "GET /me": "the one who types knows; `archway status` says how things are",
    "GET /deployment": "`archway status` shows it",
    "GET /catalog": "`entries catalog` lists it, and `entries add` makes an entry of it",
    "POST /catalog/read": "`entries import` sends it a file, and makes what comes back",
    "GET /entries/{entry_id}/tools/{tool_id}": "`entries tools --json` has all of them whole",
    "GET /records/export": "for programs, which read JSON lines from the API; `records list --json` is for people",
}
TAKEN_AS = {
    ("installations deposit", "access_token"): "tokens_file",
    ("installations deposit", "refresh_token"): "tokens_file",
    ("installations deposit", "expires_in"): "tokens_file",
    ("installations deposit", "scope"): "tokens_file",
    ("installations deposit", "issuer"): "tokens_file",
    ("tokens identify", "digest"): "token",
    ("roles give", "team_id"): "--team",
    ("roles take", "team_id"): "--team",
    ("entries override", "override"): "--file",
    ("explain", "subject"): "--as",
    ("explain", "tool"): "tool",
    ("explain", "arguments"): "arguments",
}
"""Fields of commands that are written out, by the argument that stands for them: its shape says which is sent."""
NAMED_BY_OPTION = {
    ("tokens revoke", "user"): "--all-of",
    ("grants revoke", "user"): "--all-of",
    ("grants revoke", "oauth_client"): "--client",
    ("revoke session", "client_session"): "session",
}
"""What a path names and an option takes, beside an argument that names something else."""
SAID_BY_A_COMMAND = {
    ("users invite", "purpose"): {
        "invitation": "users invite", "reset": "users reset-link", "sign_in": "users sign-in-link",
    },
    ("entries quarantine", "state"): {"quarantined": "entries quarantine", "active": "entries release"},
    ("entries quarantine", "acknowledged"): {True: "entries acknowledge"},
}  # fmt: skip
"""Fields whose every word has a command of its own."""
OF_ALL_COMMANDS = {"--state", "--output", "--json"}
WORDS_LEFT_OUT = {("records list", "status"): "its reasons are on a page of their own, docs/operating/errors.md"}
"""Fields whose help does not repeat every word that the API takes."""

OPERATIONS: dict[str, Operation] = {one.key: one for resource in RESOURCES for one in resource.declared}


def described() -> dict[str, Resource]:
    """The command line's resources, by the API's path of the list, with parameters named `{}`."""
    modules = (
        people, sign_in, sign_ins, roles, oauth, entries, installations, gateways, history, identity_providers,
        external_principals, pull_secrets, environments, egress_presets,
    )  # fmt: skip
    found = [one for module in modules for one in vars(module).values()]
    return {unnamed(one.path): one for one in found if isinstance(one, Resource)}


def unnamed(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def offered() -> Iterator[tuple[str, str, list[Option], type[BaseModel] | None]]:
    """For each operation that a resource's description offers: its key, the command, its options, what they fill."""
    for key, operation in OPERATIONS.items():
        method, path = operation.method, unnamed(operation.path)
        if (resource := described().get(path)) is not None:
            if method == "GET":
                yield key, f"{resource.name} list", [*resource.filters], operation.query
            if method == "POST" and resource.create:
                yield key, f"{resource.name} create", [*resource.create], operation.body
        if (resource := described().get(path.removesuffix("/{}"))) is not None and path.endswith("/{}"):
            if method == "GET" and resource.show:
                yield key, f"{resource.name} show", [], None
            if method == "PATCH" and resource.update:
                yield key, f"{resource.name} update", [*resource.update], operation.body
            if method == "DELETE" and resource.delete:
                cascade = [Option("cascade", "")] if resource.cascade else []
                yield key, f"{resource.name} delete", cascade, operation.query
        item, _, action = path.rpartition("/")
        resource = described().get(item.removesuffix("/{}"))
        if method == "POST" and resource is not None and action in {one.name for one in resource.actions}:
            yield key, f"{resource.name} {action}", [], operation.body


OFFERED = {key: (command, options, model) for key, command, options, model in offered()}


def fields_of(model: type[BaseModel] | None) -> dict[str, Any]:
    """Annotations by the names that are sent."""
    if model is None:
        return {}
    return {one.alias or name: one.annotation for name, one in model.model_fields.items()}


def command_of(words: str) -> Any:
    """The command that is typed so."""
    here: Any = commands()
    for word in words.split():
        here = here.commands[word]
    return here


def options_of(words: str) -> dict[str, str]:
    """What a command takes: its arguments by name, its options with their dashes; each with its help."""
    return {one.opts[0]: getattr(one, "help", "") or "" for one in command_of(words).params}


def words_of(annotation: Any) -> Iterable[str]:
    """The words that a field takes; none where it takes any text."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if get_origin(annotation) is Annotated:
        return words_of(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        return [word for part in get_args(annotation) for word in words_of(part)]
    return []


def test_every_operation_has_a_command_or_a_reason_why_not() -> None:
    ways = [set(OFFERED), set(BY_HAND), set(NOT_ON_THE_COMMAND_LINE)]
    assert set.union(*ways) == set(OPERATIONS)
    assert sum(map(len, ways)) == len(OPERATIONS), "one is in two of the lists"


@pytest.mark.parametrize("key", OFFERED)
def test_a_command_has_an_option_for_each_field_and_none_for_what_is_no_field(key: str) -> None:
    _, options, model = OFFERED[key]
    assert {one.name for one in options} == set(fields_of(model)) - PAGING


@pytest.mark.parametrize("key", OFFERED)
def test_an_options_help_names_each_word_that_the_field_takes(key: str) -> None:
    command, options, model = OFFERED[key]
    for option in options:
        words = words_of(fields_of(model)[option.name])
        missing = [word for word in words if not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", option.help)]
        assert bool(missing) == ((command, option.name) in WORDS_LEFT_OUT), f"{option.option}: {missing}"


@pytest.mark.parametrize("command", BY_HAND.values())
def test_a_command_that_is_written_out_is_there(command: str) -> None:
    assert command_of(command).name == command.rsplit(maxsplit=1)[-1]


@pytest.mark.parametrize(("key", "command"), BY_HAND.items())
def test_a_command_that_is_written_out_takes_every_field_and_nothing_that_is_none(key: str, command: str) -> None:
    operation = OPERATIONS[key]
    sent = {**fields_of(operation.query), **fields_of(operation.body)}.keys() - PAGING
    taken = {TAKEN_AS.get((command, name), name) for name in sent if (command, name) not in SAID_BY_A_COMMAND}
    operations = [operation, *(OPERATIONS[other] for other in BY_HAND if BY_HAND[other] == command)]
    paths = "".join(one.path for one in operations)
    named = {name.removesuffix("_id") for name in re.findall(r"\{(\w+)\}", paths)}
    named = {NAMED_BY_OPTION.get((command, name), name) for name in named}
    assert options_of(command).keys() - OF_ALL_COMMANDS == {
        *named,
        *(name if name in options_of(command) else "--" + name.strip("-").replace("_", "-") for name in taken),
    }


@pytest.mark.parametrize(("key", "command"), BY_HAND.items())
def test_a_command_that_is_written_out_tells_each_word_that_a_field_takes(key: str, command: str) -> None:
    for name, annotation in fields_of(OPERATIONS[key].body).items():
        words = set(words_of(annotation)) - {None}
        if (by_command := SAID_BY_A_COMMAND.get((command, name))) is not None:
            assert set(by_command) == words
            assert all(options_of(other).keys() == options_of(command).keys() for other in by_command.values())
        elif words:
            assert words <= set(re.findall(r"\w+", options_of(command)["--" + name]))


def test_the_fields_that_are_told_otherwise_are_fields() -> None:
    fields = {
        (command, name)
        for key, command in BY_HAND.items()
        for name in {**fields_of(OPERATIONS[key].query), **fields_of(OPERATIONS[key].body)}
    }
    assert {*TAKEN_AS, *SAID_BY_A_COMMAND} <= fields
