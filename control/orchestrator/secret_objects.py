"""The secrets of a server in a cluster: what its pod gets as variables and files, and what pulls its image.

The first is immutable and named for its content, so that other content is another secret and rolls out other pods,
while pods that run keep theirs; old ones are collected when nothing needs them. Those that pull are read whenever an
image is, so they keep their names and change in place: a renewed password restarts nothing.
"""

import base64
import hmac
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from control.orchestrator.defaults import Defaults
from control.orchestrator.identity import PREFIX, metadata, server_name
from control.registry.pull_secret import is_secret_name
from control.servers.runtime import Refused
from control.servers.wanted import PullSecret, WantedServer
from core.redaction import Redaction

VARIABLE: Final = "variable"
FILE: Final = "file"
BRIDGE_TOKEN: Final = "bridge-token"  # noqa: S105  # the name of a key
DOCKER_CONFIG: Final = ".dockerconfigjson"
_DIGITS: Final = 10


def key_of(kind: str, number: int) -> str:
    """The key of a value in the secret. No name of a variable or file is in it."""
    return f"{kind}-{number}"


def contents(wanted: WantedServer) -> dict[str, str]:
    """What its secret holds, by key; {} where it needs none."""
    held = {BRIDGE_TOKEN: wanted.bridge_token} if wanted.bridge_token else {}
    for kind, named in ((VARIABLE, wanted.secret_environment), (FILE, wanted.files)):
        held |= {key_of(kind, number): named[name] for number, name in enumerate(sorted(named))}
    return held


def content_name(wanted: WantedServer, defaults: Defaults) -> str:
    """The name of its secret: another one for other content, by which nobody can guess at it who has not the key."""
    told = orjson.dumps(contents(wanted), option=orjson.OPT_SORT_KEYS)
    digest = hmac.digest(defaults.name_key, wanted.installation_id.encode() + told, "sha256").hex()
    return f"{server_name(wanted.entry, wanted.installation_id)}-{digest[:_DIGITS]}"


def pull_name(wanted: WantedServer, secret: PullSecret) -> str:
    """The name of a secret that pulls its image: one that we make, or somebody else's; raises Refused for none."""
    if not secret.docker_config:
        if not is_secret_name(secret.name) or secret.name.startswith(f"{PREFIX}-"):
            raise Refused("pull_secret_missing", f"{secret.name!r} is no name of a secret that others keep")
        return secret.name
    number = wanted.pull_secrets.index(secret)
    return f"{server_name(wanted.entry, wanted.installation_id)}-pull-{number}"


def secret_objects(wanted: WantedServer, defaults: Defaults) -> list[dict[str, Any]]:
    """All secrets of one server."""
    made = []
    if held := contents(wanted):
        made.append(_secret(wanted, defaults, content_name(wanted, defaults), "Opaque", held, immutable=True))
    for one in wanted.pull_secrets:
        if one.docker_config:
            held = {DOCKER_CONFIG: one.docker_config}
            kind = "kubernetes.io/dockerconfigjson"
            made.append(_secret(wanted, defaults, pull_name(wanted, one), kind, held, immutable=False))
    return made


def without_secrets(secrets: Iterable[Mapping[str, Any]]) -> Redaction:
    """What takes the values of these objects out of a text, such as what a program said at its end."""
    values = (base64.b64decode(value).decode() for one in secrets for value in (one.get("data") or {}).values())
    return Redaction(values)


def _secret(
    wanted: WantedServer, defaults: Defaults, name: str, kind: str, held: Mapping[str, str], *, immutable: bool
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(wanted, defaults, name),
        "type": kind,
        **({"immutable": True} if immutable else {}),
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in held.items()},
    }
