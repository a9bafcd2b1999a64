"""What would run of an entry for some installation of it, with a word in the place of each answer and secret. Pure.

For what is judged and shown of an entry that nobody may have installed yet. Nothing of it is ever run.
"""

from dataclasses import replace
from typing import Final

from control.registry.entry import EntryFields
from control.registry.environment import Environment
from control.registry.fields import Answer, Field
from control.registry.row_seals import OpenedSecrets
from control.registry.self_hosted import SelfHosted
from control.servers.described import described
from control.servers.wanted import PullSecret, WantedServer

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
    opened = OpenedSecrets(values=secrets, run_secrets=dict.fromkeys(run_secret_names, _WORD), bridge_token=_WORD)
    answers = {one.name: _answer(one) for one in entry.fields if one.type != "secret"}
    pull = tuple(PullSecret(name=f"pull-{one}", docker_config="{}") for one in run.pull_secrets)
    return replace(described(SAMPLE_ID, entry, run, answers, opened, environment), pull_secrets=pull)


def _answer(asked: Field) -> Answer:
    if asked.default is not None:
        return asked.default
    if asked.options:
        return asked.options[0]
    return {"number": 1, "boolean": True}.get(asked.type, _WORD)
