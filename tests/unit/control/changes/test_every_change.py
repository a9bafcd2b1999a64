"""Every change of the registry, walked: what it leaves in the audit trail, and what proxies hear of it.

A new function of `control/changes/` needs a case here. The cases of one file stand together, in its order.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

import control.changes
from control.changes import teams, tokens, users
from control.changes.write import Write, changing
from control.store.pool import Pool
from tests.unit.control.changes.acting import (
    ADMIN,
    audit_of,
    forget,
    new_team,
    new_token,
    new_user,
    outbox_of,
)

WITHOUT_WRITE = {
    "first_admin.ensure_first_admin": "makes its own Write; nobody's act, which test_first_admin.py holds it to",
}
"""Public coroutines of the folder that are not changes in somebody's `Write`, each with its reason."""


@dataclass(frozen=True, slots=True)
class World:
    """What there is before the change: a user in a team, each with a token."""

    user: str
    other: str
    """A user who is in no team."""
    disabled: str
    team: str
    token: str
    digest: str
    team_digest: str


@dataclass(frozen=True, slots=True)
class Case:
    """One change."""

    act: Callable[[Write, World], Awaitable[Any]]
    recorded: str
    """Action and kind of object."""
    announced: Callable[[World], list[tuple[str, str]]] = lambda _: []
    """Kind and name, in their order."""


CASES = {
    "users.create": Case(lambda write, _: new_user(write, "Cid"), "create user"),
    "users.change": Case(
        lambda write, there: users.change(write, there.user, {"name": "Anna"}),
        "update user",
        lambda there: [("user", there.user)],
    ),
    "users.disable": Case(
        lambda write, there: users.disable(write, there.user), "disable user", lambda there: [("user", there.user)]
    ),
    "users.enable": Case(
        lambda write, there: users.enable(write, there.disabled),
        "enable user",
        lambda there: [("user", there.disabled)],
    ),
    "users.delete": Case(
        lambda write, there: users.delete(write, there.user),
        "delete user",
        lambda there: [("token", there.digest), ("user", there.user)],
    ),
    "teams.create": Case(lambda write, _: new_team(write, "Blue"), "create team"),
    "teams.change": Case(
        lambda write, there: teams.change(write, there.team, {"name": "Rot"}),
        "update team",
        lambda there: [("team", there.team)],
    ),
    "teams.delete": Case(
        lambda write, there: teams.delete(write, there.team),
        "delete team",
        lambda there: [("token", there.team_digest), ("user", there.user), ("team", there.team)],
    ),
    "teams.set_member": Case(
        lambda write, there: teams.set_member(write, there.team, there.other, "member"),
        "create membership",
        lambda there: [("user", there.other)],
    ),
    "teams.remove_member": Case(
        lambda write, there: teams.remove_member(write, there.team, there.user),
        "delete membership",
        lambda there: [("user", there.user)],
    ),
    "tokens.create": Case(lambda write, there: new_token(write, user=there.user), "create token"),
    "tokens.change": Case(
        lambda write, there: tokens.change(write, there.token, {"name": "laptop"}),
        "update token",
        lambda there: [("token", there.digest)],
    ),
    "tokens.revoke": Case(
        lambda write, there: tokens.revoke(write, there.token),
        "revoke token",
        lambda there: [("token", there.digest)],
    ),
    "tokens.delete": Case(
        lambda write, there: tokens.delete(write, there.token),
        "delete token",
        lambda there: [("token", there.digest)],
    ),
}


def changes_of_the_folder() -> dict[str, Callable[..., Any]]:
    """Public coroutines by `file.name`."""
    found: dict[str, Callable[..., Any]] = {}
    for file in pkgutil.iter_modules(control.changes.__path__):
        module = importlib.import_module(f"control.changes.{file.name}")
        for name, one in inspect.getmembers(module, inspect.iscoroutinefunction):
            if one.__module__ == module.__name__ and not name.startswith("_"):
                found[f"{file.name}.{name}"] = one
    return found


def test_every_change_takes_a_write_first() -> None:
    strays = [
        name
        for name, one in changes_of_the_folder().items()
        if name not in WITHOUT_WRITE and next(iter(inspect.signature(one).parameters), "") != "write"
    ]
    assert not strays


def test_every_change_has_a_case_here() -> None:
    assert set(CASES) == set(changes_of_the_folder()) - set(WITHOUT_WRITE)


@pytest.fixture
async def there(pool: Pool) -> World:
    async with changing(pool, ADMIN) as write:
        await new_user(write, "Root", "admin")
        user, other, disabled = [(await new_user(write, name)).id for name in ("Ann", "Bea", "Dan")]
        await users.disable(write, disabled)
        team = (await new_team(write, "Red", user)).id
        token, of_team = await new_token(write, user=user), await new_token(write, team=team)
    await forget(pool)
    return World(user, other, disabled, team, token.id, token.digest, of_team.digest)


@pytest.mark.parametrize("name", CASES)
async def test_a_change_leaves_one_audit_record_and_tells_proxies_what_they_hold(
    name: str, pool: Pool, there: World
) -> None:
    case = CASES[name]
    async with changing(pool, ADMIN) as write:
        await case.act(write, there)
    (line,) = await audit_of(pool)
    assert f"{line['action']} {line['object_kind']}" == case.recorded
    assert (line["before"] is None, line["after"] is None) == (
        line["action"] == "create",
        line["action"] == "delete",
    )
    assert [(kind, told) for kind, told, _ in await outbox_of(pool)] == case.announced(there)
