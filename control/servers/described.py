"""What an entry and its environment say of each of its servers, with the answers and secrets of one. Pure.

Called for a server that is to run (`wanting.py`), and for one that nobody may have installed (`sample.py`).
"""

from collections.abc import Mapping
from typing import Any

from control.credentials import dispatch
from control.registry.entry import EntryFields
from control.registry.environment import Environment
from control.registry.field_contents import field_contents
from control.registry.quantities import resources_of
from control.registry.row_seals import OpenedSecrets
from control.registry.self_hosted import SelfHosted
from control.registry.targets import Target
from control.registry.token_at_start import drain_s, is_at_start
from control.servers.wanted import BRIDGE_PORT, WantedServer
from core.bridge_terms import PATH


def described(
    installation_id: str,
    entry: EntryFields,
    run: SelfHosted,
    answers: Mapping[str, Any],
    opened: OpenedSecrets,
    environment: Environment | None,
) -> WantedServer:
    """A server of nobody in particular, which nobody has changed yet. `run`: how the entry is reached; `answers`:
    those that are no secrets, which its command does not have yet.
    """
    plain, secret, files = _contents(entry, run, answers, opened)
    over_http = run.transport == "http"
    return WantedServer(
        installation_id=installation_id,
        entry=entry.slug,
        team_id=None,
        generation=1,
        image=run.image,
        command=run.command,
        transport=run.transport,
        port=run.port if over_http else BRIDGE_PORT,
        path=run.path if over_http else PATH,
        health_path=run.health_path,
        environment=plain,
        secret_environment=secret,
        files=files,
        bridge_token="" if over_http else opened.bridge_token,
        resources=resources_of(run.resources, None if environment is None else environment.resources),
        pull_secrets=(),
        drain_s=drain_s(entry) if is_at_start(entry) else 0.0,
        override=run.override,
        **_of_environment(environment),
    )


def _of_environment(found: Environment | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {
        "environment_id": found.id,
        "environment_name": found.name,
        "namespace": found.namespace,
        "node_selector": found.node_selector,
        "tolerations": found.tolerations,
    }


def _contents(
    entry: EntryFields, run: SelfHosted, answers: Mapping[str, Any], opened: OpenedSecrets
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Plain variables, secret ones, and files."""
    plain, secret, files = dict(run.environment), dict[str, str](), dict[str, str]()
    for name, text in opened.run_secrets.items():
        (files if name in run.mounted else secret)[name] = text
    answered = field_contents(entry.fields, answers, opened.values)
    of_credential = dispatch.at_start(entry.credential, opened.values)
    filled: list[tuple[Target, str, bool]] = [*answered, *((target, text, True) for target, text in of_credential)]
    for target, text, is_secret in filled:
        match target.kind:
            case "variable":
                (secret if is_secret else plain)[target.name] = text
            case "file":
                files[target.name] = text
            case "header":
                pass  # sent with each request
    return plain, secret, files
