"""Pages of pull secrets over plain HTTP: kept, chosen in an entry, and deleted, by those who may."""

from __future__ import annotations

from html import unescape

import pytest

from control.changes import teams
from control.changes.write import changing
from control.registry.self_hosted import SelfHosted
from control.registry.team import NewTeam
from control.store import entries, pull_secrets
from control.store.pool import transaction
from tests.console.registry_seeds import SECRET
from tests.console.serving import MAKER, Console, reading
from tests.console.test_servers_we_run import filled


def typed(**changes: str) -> dict[str, str]:
    return {
        "name": "Images of Sales", "kind": "registry", "registry": "registry.example.com", "username": "robot",
        "password": SECRET, "secret_name": "", "team_id": "",
    } | changes  # fmt: skip


async def kept(console: Console) -> list[tuple[str, str, str]]:
    async with transaction(console.pool, readonly=True) as connection:
        found = await pull_secrets.page(connection, limit=9, after=None, everything=True, teams=[])
    return [(one.id, one.kind, one.registry or one.secret_name) for one in found]


async def test_one_is_kept_and_chosen_in_an_entry_and_its_password_is_nowhere(console: Console) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        _, text = await reader.get("/pull-secrets")
        assert "No pull secret here" in text
        status, text, where = await reader.post("/pull-secrets/new", **typed())
        assert (status, where) == (303, "/pull-secrets?said=pull-secret-made"), text
        ((made, kind, registry),) = await kept(console)
        assert (kind, registry) == ("registry", "registry.example.com")
        for path in ("/pull-secrets", "/registry/new"):
            _, text = await reader.get(path)
            assert "Images of Sales" in text
            assert SECRET not in unescape(text)
        form = filled(**{"run.image": "registry.example.com/files:1.2.3", f"run.pull_secrets.{made}": "true"})
        status, text, _ = await reader.post("/registry/new", **form)
        assert status == 303, text
        async with transaction(console.pool, readonly=True) as connection:
            entry = await entries.by_slug(connection, "files")
        assert entry is not None
        assert isinstance(entry.reached, SelfHosted)
        assert entry.reached.pull_secrets == (made,)
        status, text, _ = await reader.post(f"/pull-secrets/{made}/delete")
        assert status == 409
        assert "in use by the entries files" in text


async def test_one_of_the_cluster_is_named_and_deleted(console: Console) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, text, _ = await reader.post("/pull-secrets/new", **typed(kind="cluster", secret_name="mirror-pull"))
        assert status == 303, text
        ((made, *told),) = await kept(console)
        assert told == ["cluster", "mirror-pull"]
        _, _, where = await reader.post(f"/pull-secrets/{made}/delete")
        assert where == "/pull-secrets?said=pull-secret-deleted"
    assert await kept(console) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"registry": "https://registry.example.com"}, "registry"),
        ({"password": ""}, "password"),
        ({"kind": "cluster", "secret_name": "No Name"}, "secret_name"),
    ],
)
async def test_what_is_wrong_comes_back_at_its_field_without_the_password(
    console: Console, changes: dict[str, str], field: str
) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, text, _ = await reader.post("/pull-secrets/new", **typed(**changes))
    assert status == 422
    assert f'aria-describedby="{field}-error' in text
    assert SECRET not in unescape(text)


async def test_a_teams_is_seen_by_its_members_and_kept_by_its_editors(console: Console) -> None:
    ann, bea, carl = [await console.person(name) for name in ("Ann", "Bea", "Carl")]
    async with changing(console.pool, MAKER) as write:
        red = await teams.create(write, NewTeam(name="Red", description=""))
        await teams.set_member(write, red.id, ann.id, "editor")
        await teams.set_member(write, red.id, bea.id, "member")
    async with reading(console, ann) as reader:
        assert f'name="team_id" value="{red.id}"' in (await reader.get("/pull-secrets/new"))[1]
        status, text, _ = await reader.post("/pull-secrets/new", **typed(team_id=red.id))
        assert status == 303, text
        assert (await reader.post("/pull-secrets/new", **typed(name="Ours")))[0] == 403
    async with reading(console, bea) as reader:
        _, text = await reader.get("/pull-secrets")
        assert "Images of Sales" in text
        assert "Delete Images of Sales" not in text
        assert (await reader.get("/pull-secrets/new"))[0] == 404
    async with reading(console, carl) as reader:
        assert (await reader.get("/pull-secrets"))[0] == 404
