"""The one container of a server's pod: what it starts, what it is told, what it may.

Hardened as the profile "restricted" of the Pod Security Standards wants it, and beyond: its root cannot be written
to, so that HOME and /tmp are volumes (https://kubernetes.io/docs/concepts/security/pod-security-standards/).
"""

from typing import Any, Final

from control.orchestrator.defaults import Defaults
from control.orchestrator.secret_objects import BRIDGE_TOKEN, VARIABLE, content_name, key_of
from control.registry.run_names import FOLDER
from control.servers.wanted import WantedServer
from core.bridge_terms import ENDS_AT, LINGER, SECRET_NAMES, TOKEN

CONTAINER: Final = "server"
PORT: Final = "mcp"
"""Name of its port, for policies and services."""
HOME: Final = "/var/lib/mcp"
"""Where `npx` and `uvx` keep what they bring; that of the base image."""
BRIDGE: Final = ("python", "-I", "-m", "bridge")
"""What the base image starts, and an image of one's own that is made from it."""
START_S: Final = 300
"""In which it must have answered once; else it is started again."""
TMP: Final = "/tmp"  # noqa: S108  # a volume of the pod's own
"""Where it writes what need not stay."""
LINGER_S: Final = 5
"""For which one that is drained takes calls still: nodes learn only then that it is no longer behind its service."""
SCRATCH: Final = "1Gi"
"""What it may write to disk, in all."""
SET_ASIDE: Final = "64Mi"
"""Of that, what a node must have free."""


def container(wanted: WantedServer, defaults: Defaults) -> dict[str, Any]:
    """The container of this server."""
    return {
        "name": CONTAINER,
        "image": image_of(wanted, defaults),
        **_started(wanted),
        "env": _variables(wanted, defaults),
        "ports": [{"name": PORT, "containerPort": wanted.port, "protocol": "TCP"}],
        "resources": _resources(wanted),
        **_probes(wanted),
        # Of one that ended, its last words are then in its state.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "volumeMounts": _mounts(wanted),
    }


def image_of(wanted: WantedServer, defaults: Defaults) -> str:
    """The image that it runs."""
    return wanted.image or wanted.base_image or defaults.base_image


def literal(text: str) -> str:
    """A text of which Kubernetes makes this one: it puts variables, secret ones too, where an argument or a variable
    says `$(NAME)`, and `$` where one says `$$`.
    """
    return text.replace("$", "$$")


def _started(wanted: WantedServer) -> dict[str, Any]:
    words = [literal(word) for word in wanted.command]
    if wanted.transport == "http":
        return {"command": words} if words else {}
    told = ["--host", "0.0.0.0", "--port", str(wanted.port), "--start-within", str(START_S)]
    told += ["--drain-within", f"{wanted.drain_s:.0f}"] if wanted.drain_s else []
    told += ["--", *words]
    return {"command": list(BRIDGE), "args": told} if wanted.image else {"args": told}


def _variables(wanted: WantedServer, defaults: Defaults) -> list[dict[str, Any]]:
    plain = {"HOME": HOME, "TMPDIR": TMP, **wanted.environment}
    if wanted.transport == "http":
        plain |= {"HOST": "0.0.0.0", "PORT": str(wanted.port)}
    elif wanted.secret_environment:
        plain[SECRET_NAMES] = ",".join(sorted(wanted.secret_environment))
    if wanted.ends_at:
        plain[ENDS_AT] = f"{wanted.ends_at:.0f}"
    if wanted.drain_s:
        plain[LINGER] = str(LINGER_S)
    secret = {name: key_of(VARIABLE, number) for number, name in enumerate(sorted(wanted.secret_environment))}
    if wanted.bridge_token:
        secret[TOKEN] = BRIDGE_TOKEN
    held = content_name(wanted, defaults) if secret else ""
    # An empty value is left out: the API server does so too, and would seem to have changed it.
    made = [{"name": name} | ({"value": literal(value)} if value else {}) for name, value in plain.items()]
    made = [one for one in made if one["name"] not in secret]
    references = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": held, "key": key}}} for name, key in secret.items()
    ]
    return sorted([*made, *references], key=lambda one: str(one["name"]))


def _resources(wanted: WantedServer) -> dict[str, Any]:
    asked = wanted.resources
    limits = {"memory": asked.memory_limit, "ephemeral-storage": SCRATCH}
    return {
        # What is not asked for would be as much as the limit.
        "requests": {"cpu": asked.cpu, "memory": asked.memory, "ephemeral-storage": SET_ASIDE},
        "limits": limits | ({"cpu": asked.cpu_limit} if asked.cpu_limit else {}),
    }


def _probes(wanted: WantedServer) -> dict[str, Any]:
    """Ready is what has answered by itself: without a probe, one that crashes at once would count as running."""
    path = "/healthz" if wanted.transport == "stdio" else wanted.health_path
    asked: dict[str, Any] = {"httpGet": {"path": path, "port": PORT}} if path else {"tcpSocket": {"port": PORT}}
    return {
        "startupProbe": asked | {"periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": START_S},
        "readinessProbe": asked | {"periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 2},
    }


def _mounts(wanted: WantedServer) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [{"name": "home", "mountPath": HOME}, {"name": "tmp", "mountPath": TMP}]
    return made + ([{"name": "files", "mountPath": FOLDER, "readOnly": True}] if wanted.files else [])
