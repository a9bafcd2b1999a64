"""Names and labels of what a server is in a cluster: of its identifier, and of nothing unchecked that a person wrote.

Called by the files that make objects, and by whoever finds them again. A slug is in a name only to be read, and only
as what a DNS label may hold (RFC 1123 section 2.1); what makes a name one of its own are the last digits of the
identifier, which are random. Its first are a clock (`core/identifiers.py`), which two that are made together share.
"""

import re
from typing import Any, Final

from control.orchestrator.defaults import Defaults
from control.servers.wanted import ConfinedServer
from core.identifiers import is_id

DOMAIN: Final = "archway.dev"
"""Of our labels and annotations. Part of what selects pods, which can never be changed."""
INSTANCE: Final = f"{DOMAIN}/instance"
"""Label with the identifier of the Archway that an object is of: two may share a namespace."""
INSTALLATION: Final = f"{DOMAIN}/installation"
ENTRY: Final = f"{DOMAIN}/entry"
TEAM: Final = f"{DOMAIN}/team"
PROBE: Final = f"{DOMAIN}/probe"
"""Label of all that is of a probe (`probing/`), with its environment's identifier; nothing of a server has it."""
GENERATION: Final = f"{DOMAIN}/generation"
"""Annotation of a Deployment: of which generation it is."""
ENVIRONMENT: Final = f"{DOMAIN}/environment"
"""Annotation of a Deployment: the environment of its entry, as people call it. On nothing that restarts a server."""
RESTARTS: Final = f"{DOMAIN}/restarts"
"""Annotation of a pod: how often somebody had asked for a restart. Ours, so that kubectl's own stays beside it."""
ASLEEP: Final = f"{DOMAIN}/asleep"
"""Annotation of a Deployment that has no pod until somebody calls its server."""
PATH: Final = f"{DOMAIN}/path"
"""Annotation of a Deployment: where its server answers MCP."""
MANAGER: Final = "archway"
"""In whose name objects are applied, so that what others set beside our fields is left alone; and the value of
`app.kubernetes.io/managed-by`.
"""
PREFIX: Final = "mcp"
"""With which all our names begin."""
LONGEST_SLUG: Final = 40
_DIGITS: Final = 12
_NOT_OF_A_LABEL: Final = re.compile(r"[^a-z0-9]+")


def server_name(entry: str, installation_id: str) -> str:
    """`mcp-SLUG-DIGITS`, a DNS label of at most 57 characters; raises ValueError for what is no identifier."""
    digits = _identifier(installation_id)[-_DIGITS:]
    return "-".join(part for part in (PREFIX, _slug(entry), digits) if part)


def _identifier(text: str) -> str:
    if not is_id(text):
        raise ValueError("what should be an identifier is none")
    return text


def _slug(entry: str) -> str:
    return _NOT_OF_A_LABEL.sub("-", entry.lower()).strip("-")[:LONGEST_SLUG].rstrip("-")


def selecting(instance_id: str, installation_id: str) -> dict[str, str]:
    """The labels that select all that is of one installation, and nothing else."""
    return {INSTANCE: _identifier(instance_id), INSTALLATION: _identifier(installation_id)}


def labels(instance_id: str, installation_id: str, entry: str, team_id: str | None) -> dict[str, str]:
    """The labels of each of its objects; see also
    https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/.
    """
    named = {"app.kubernetes.io/managed-by": MANAGER, "app.kubernetes.io/component": "server"}
    named |= {ENTRY: _slug(entry)} | selecting(instance_id, installation_id)
    return named | ({TEAM: _identifier(team_id)} if team_id else {})


def shared_name(instance_id: str, what: str) -> str:
    """`archway-DIGITS-WHAT`, of an object that no single server has: no server's name begins so."""
    return f"{MANAGER}-{_identifier(instance_id)[-_DIGITS:]}-{what}"


def namespace_of(wanted: ConfinedServer, defaults: Defaults) -> str:
    """The namespace in which it runs."""
    return wanted.namespace or defaults.namespace


def metadata(wanted: ConfinedServer, defaults: Defaults, name: str = "") -> dict[str, Any]:
    """The metadata of one of its objects; without a name of its own it has the server's."""
    return {
        "name": name or server_name(wanted.entry, wanted.installation_id),
        "namespace": namespace_of(wanted, defaults),
        "labels": labels(defaults.instance_id, wanted.installation_id, wanted.entry, wanted.team_id),
    }
