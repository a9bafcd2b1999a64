"""What would run of an entry for some installation of it, with a word in the place of each answer and secret. Pure.

For what is judged and shown of an entry that nobody may have installed yet. Nothing of it is ever run.
"""

from typing import Final

from control.registry.entry import EntryFields
from control.registry.environment import Environment
from control.registry.fields import Answer, Field
from control.registry.quantities import resources_of
from control.registry.row_seals import OpenedSecrets
from control.registry.self_hosted import SelfHosted
from control.registry.token_at_start import drain_s, is_at_start
from control.servers.wanted import BRIDGE_PORT, PullSecret, WantedServer
from control.servers.wanting import contents, of_environment
from core.bridge_terms import PATH

SAMPLE_ID: Final = "00000000-0000-7000-8000-000000000000"
"""Of the installation, and of this Archway, where none in particular is meant."""
_WORD: Final = "sample"


class _Words(dict[str, str]):
    """A word for each secret that is asked for."""

    def __missing__(self, name: str) -> str:
        return _WORD


def sample_of(
    entry: EntryFields, run: SelfHosted, run_secret_names: tuple[str, ...], environment: Environment | None
) -> WantedServer:
    """`run`: how the entry is reached; `environment`: where it is."""
    secrets = _Words({one.name: _WORD for one in entry.fields if one.type == "secret"})
    opened = OpenedSecrets(values=secrets, run_secrets=dict.fromkeys(run_secret_names, _WORD))
    answers = {one.name: _answer(one) for one in entry.fields if one.type != "secret"}
    plain, secret, files = contents(entry, run, answers, opened)
    over_http = run.transport == "http"
    return WantedServer(
        installation_id=SAMPLE_ID, entry=entry.slug, team_id=None, generation=1,
        image=run.image, command=run.command, transport=run.transport,
        port=run.port if over_http else BRIDGE_PORT, path=run.path if over_http else PATH,
        health_path=run.health_path,
        environment=plain, secret_environment=secret, files=files, bridge_token="" if over_http else _WORD,
        resources=resources_of(run.resources, environment.resources if environment else None),
        pull_secrets=tuple(PullSecret(name=f"pull-{one}", docker_config="{}") for one in run.pull_secrets),
        drain_s=drain_s(entry) if is_at_start(entry) else 0.0,
        override=run.override,
        **of_environment(environment),
    )  # fmt: skip


def _answer(asked: Field) -> Answer:
    if asked.default is not None:
        return asked.default
    if asked.options:
        return asked.options[0]
    return {"number": 1, "boolean": True}.get(asked.type, _WORD)
