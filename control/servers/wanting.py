"""From the rows of the registry to what is to run: one WantedServer for each installation of such an entry.

`wanted_server` is pure; `load` reads what it needs. Called by the loop, for either runtime. What lacks something that
a person must give does not run: it is refused with the word and the sentence that the state then shows.
"""

import secrets as random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from control.credentials import lacks
from control.credentials.resolved import version_of
from control.registry.account import Account
from control.registry.arguments import filled_command
from control.registry.broken_rule import BrokenRule
from control.registry.docker_config import docker_config
from control.registry.entry import Entry
from control.registry.environment import Environment
from control.registry.image_sources import is_from, not_from
from control.registry.installation import Installation
from control.registry.override_fence import out_of_place
from control.registry.override_text import written
from control.registry.owner import TeamOwner
from control.registry.pull_secret import KeptPullSecret
from control.registry.row_seals import OpenedSecrets, RowSeals
from control.registry.self_hosted import SelfHosted
from control.registry.server_url import placed
from control.registry.token_at_start import is_at_start
from control.servers.described import described
from control.servers.runtime import Refused
from control.servers.tokens_at_start import TokensAtStart, TokenWanted
from control.servers.wanted import ConfinedServer, PullSecret, WantedServer
from control.store import (
    accounts,
    entries,
    environments,
    idle_servers,
    installations,
    pull_secrets,
    server_states,
)
from control.store.pool import Connection
from control.store.standing_for_entries import somebody_stands
from core.egress.addresses import ANYWHERE
from core.egress.rules import EgressRules
from core.sealing import SealBroken

_EVERYTHING: Final = EgressRules()


def wanted_server(
    entry: Entry,
    run: SelfHosted,
    installation: Installation,
    opened: OpenedSecrets,
    pull: tuple[PullSecret, ...] = (),
    account: Account | None = None,
    environment: Environment | None = None,
    egress: EgressRules = _EVERYTHING,
) -> WantedServer:
    """What is to run, `run` being how the entry is reached; Refused where something must be given first. `account`:
    whose token is among the secrets, for a program that gets it at its start. `environment`: the entry's, with what
    its servers may reach.
    """
    lacking = lacks.of_answers(entry, installation) or lacks.of_state(installation)
    lacking = lacking or lacks.of_secrets(entry, opened.values)
    if lacking is not None:
        raise Refused("configuration", f"{lacking.cause} {lacking.details}".strip())
    try:
        command = filled_command(run.command, placed(entry, installation.plain_values, ANYWHERE))
    except BrokenRule as broken:
        raise Refused("configuration", f"{broken}; give that answer again") from None
    owner = installation.owner
    return replace(
        described(installation.id, entry, run, installation.plain_values, opened, environment),
        team_id=owner.id if isinstance(owner, TeamOwner) else None,
        generation=version_of(entry, installation, account) + installation.restarts_wanted,
        command=command,
        pull_secrets=pull,
        restarts_wanted=installation.restarts_wanted,
        ends_at=account.expires_at.timestamp() if account is not None and account.expires_at is not None else 0.0,
        egress=egress,
        asleep=_is_asleep(run, installation),
    )


async def load(
    connection: Connection, seals: RowSeals, tokens: TokensAtStart, installation_id: str, base_image: str = ""
) -> WantedServer | TokenWanted | None:
    """What is to run for an installation, in a transaction that may write (the token of its bridge is made here
    once, and it is pinned to `base_image`, the one of the settings); None where nothing is, and TokenWanted where it
    cannot be started before a provider was asked. Raises Refused.
    """
    if (placed_at := await _placed(connection, installation_id)) is None:
        return None
    installation, entry, run, where = placed_at
    await _refuse_where_not_permitted(connection, entry, where)
    _refuse_image(run, where)
    if run.override:
        _refuse_out_of_place(run, where, await environments.restricted(connection))
    egress = await environments.rules(connection, where)
    account = None
    if is_at_start(entry):
        found = tokens.of(entry, installation, await accounts.one(connection, installation_id))
        if isinstance(found, TokenWanted):
            return found
        account = found
    token = installation.bridge_token
    if token is None:
        fresh = seals.bridge_token(installation.id, random.token_urlsafe(32))
        token = await server_states.bridge_token(connection, installation.id, fresh)
    kept = await pull_secrets.many(connection, run.pull_secrets)
    try:
        opened = seals.open(entry, replace(installation, bridge_token=token), account)
        pull = _pull_secrets(seals, run.pull_secrets, kept)
    except SealBroken:
        raise Refused(
            "configuration", "its secrets were sealed with a key that is not here any more; give them again"
        ) from None
    wanted = wanted_server(entry, run, installation, opened, pull, account, where, egress)
    if wanted.asleep and not await idle_servers.falls_asleep(connection, installation.id):
        wanted = replace(wanted, asleep=False)
    if wanted.image or not base_image:
        return wanted
    return replace(wanted, base_image=await server_states.base_image(connection, installation.id, base_image))


async def confined(connection: Connection, installation_id: str) -> ConfinedServer | None:
    """What the server of an installation may reach, whether or not `load` refuses it; None where nothing is."""
    if (found := await _placed(connection, installation_id)) is None:
        return None
    installation, entry, _, where = found
    return ConfinedServer(
        installation_id=installation.id,
        entry=entry.slug,
        team_id=installation.owner.id if isinstance(installation.owner, TeamOwner) else None,
        namespace="" if where is None else where.namespace,
        egress=await environments.rules(connection, where),
    )


async def _placed(
    connection: Connection, installation_id: str
) -> tuple[Installation, Entry, SelfHosted, Environment | None] | None:
    """An installation whose entry is run, how it is, and where."""
    installation = await installations.one(connection, installation_id)
    entry = None if installation is None else await entries.one(connection, installation.entry_id)
    if installation is None or entry is None or not isinstance(entry.reached, SelfHosted):
        return None
    where = await environments.one(connection, entry.environment_id) if entry.environment_id else None
    return installation, entry, entry.reached, where


def _is_asleep(run: SelfHosted, installation: Installation) -> bool:
    idleness = installation.idleness
    return run.idle_minutes > 0 and idleness is not None and idleness.asleep_since is not None


async def _refuse_where_not_permitted(connection: Connection, entry: Entry, found: Environment | None) -> None:
    """Refused in a restricted environment, unless whoever put the entry there still is somebody who may."""
    if found is not None and not await somebody_stands(connection, entry, found):
        raise Refused(
            "not_permitted",
            f"{found.name!r} is restricted, and whoever put the entry there does not hold "
            "environment:deploy-to-restricted",
        )


def _refuse_image(run: SelfHosted, found: Environment | None) -> None:
    """Refused where the environment does not let its image in. The base image, the deployment's own, always is."""
    if found is not None and run.image and not is_from(run.image, found.image_registries):
        raise Refused("image_not_allowed", f"{run.image} {not_from(found.name, found.image_registries)}")


def _refuse_out_of_place(run: SelfHosted, where: Environment | None, restricted: Sequence[Environment]) -> None:
    """Refused for an override that leads to where its environment, as it is now, does not let it."""
    for path, sentence in out_of_place(run.override, where, restricted):
        raise Refused("override", f"{written(path)} {sentence}")


def _pull_secrets(
    seals: RowSeals, named: Sequence[str], kept: Mapping[str, KeptPullSecret]
) -> tuple[PullSecret, ...]:
    """In the entry's order; Refused where one is there no more."""
    made = []
    for one in named:
        row = kept.get(one)
        if row is None:
            raise Refused("pull_secret_missing", "one of the entry's image pull secrets was deleted; choose another")
        if row.password is None:
            made.append(PullSecret(name=row.secret_name))
            continue
        password = seals.open_pull_password(row.id, row.registry, row.username, row.password)
        config = docker_config(row.registry, row.username, password)
        made.append(PullSecret(name=f"pull-{row.id}", docker_config=config))
    return tuple(made)
