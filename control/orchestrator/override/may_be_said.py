"""The list of what an override may say, with the form of each value. What is not here cannot be said. Pure.

What an entry has a field for (image, command, processor, memory, pull secrets) is said there, where it is checked,
counted and shown. Labels and annotations make policies, meshes and injectors of the cluster act on a pod, so only
those of a domain of their own are free.
"""

import ipaddress
import posixpath
from typing import Any, Final

from control.orchestrator.container import CONTAINER, HOME, TMP
from control.orchestrator.override.checks import (
    Check,
    fields,
    flag,
    items,
    judged,
    number,
    one_of,
    only,
    pairs,
    raising,
    text,
)
from control.orchestrator.override.faults import Faults
from control.registry.broken_rule import BrokenRule
from control.registry.images import check_image
from control.registry.quantities import memory_bytes
from control.registry.run_names import FOLDER, MAX_CONTENT, check_variable
from core.strict_yaml import Path

FREE: Final = "custom.archway.dev/"
"""Before the labels and annotations that an override may set."""
OWN: Final = "own"
"""As the name of a secret: the one of the installation itself, whatever it is called."""
MOST_DISK: Final = 32 << 30
"""Bytes of a volume, and of what a container may write in all."""
MOST_INIT_CONTAINERS: Final = 4
MOST_VOLUMES: Final = 16
MOST_VARIABLES: Final = 64
_MOST_ID: Final = 2**31 - 1
_AUTOSCALERS: Final = frozenset({"cluster-autoscaler.kubernetes.io/safe-to-evict", "karpenter.sh/do-not-disrupt"})
"""Annotations that keep a node from being taken away under a server."""
_CONTROL_PLANE: Final = "node-role.kubernetes.io/"
_ONE_NODE: Final = "kubernetes.io/hostname"
"""Names a node as `nodeName` does, whosever it is."""
_SYSTEM: Final = (
    "/proc", "/sys", "/dev", "/etc", "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/boot", "/run/secrets",
    "/var/run",
)  # fmt: skip
_KEPT: Final = (HOME, TMP, FOLDER)
_OWN_MOUNTS: Final = frozenset({("home", HOME), ("tmp", TMP), ("files", FOLDER)})

_VALUE: Final = text(r"(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?", "the value of a label: text in quotes")
_KEY: Final = r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_NAME: Final = text(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", "1 to 63 of a-z, 0-9 and '-'")
_ABSOLUTE: Final = text(r"/[A-Za-z0-9._/@+-]{0,254}", "a path that begins with '/'")
_WORDS: Final = items(text(r"[^\x00]*", "text"), 64)


def _is_disk(value: Any) -> bool:
    try:
        return 0 < memory_bytes(value) <= MOST_DISK
    except (ValueError, TypeError):
        return False


def _is_node_key(value: Any) -> bool:
    return isinstance(value, str) and not value.startswith(_CONTROL_PLANE)


def _node_key(value: Any, path: Path, faults: Faults) -> None:
    text(_KEY, "the key of a label")(value, path, faults)
    judged(_is_node_key, "is for the machines of the cluster's own control")(value, path, faults)
    judged(lambda key: key != _ONE_NODE, "names one node, which cannot be chosen; say a label that several have")(
        value, path, faults
    )


def _is_address(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def _is_relative(value: Any) -> bool:
    plain = isinstance(value, str) and bool(value) and value.isprintable() and len(value) < 256
    return plain and not value.startswith("/") and ".." not in value.split("/")


def _mount(value: Any, path: Path, faults: Faults) -> None:
    """A volume in a container: nowhere but where the server's program, the bridge and the system are not."""
    fields(
        {"name": _NAME, "mountPath": _ABSOLUTE, "readOnly": flag,
         "subPath": judged(_is_relative, "must be a path below the volume")},
        needed=("name", "mountPath"),
    )(value, path, faults)  # fmt: skip
    place = value.get("mountPath") if isinstance(value, dict) else None
    if not isinstance(place, str) or (value.get("name"), place) in _OWN_MOUNTS:
        return
    where = (*path, "mountPath")
    if place != posixpath.normpath(place) or place.startswith("//"):
        faults.add(where, "must be written without '.', '..' and '/' at its end")
    if any(_is_in(place, system) for system in _SYSTEM) or any(_is_in(kept, place) for kept in _KEPT):
        faults.add(where, "would hide what the system or Archway has there; choose another place, such as /data")


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


_VARIABLE: Final = raising(lambda name: check_variable(name, ""), BrokenRule, lambda why: str(why.message))
_TEXT: Final = text(r"(?s)[^\x00]*", f"text of at most {MAX_CONTENT} characters; numbers in quotes", MAX_CONTENT)


def _content(value: Any, path: Path, faults: Faults) -> None:
    """Of a variable. `$(NAME)` in it is the value of another, which is not one that the bridge alone should have."""
    _TEXT(value, path, faults)
    judged(lambda told: "$(ARCHWAY_" not in str(told), "refers to a variable of Archway's")(value, path, faults)


def _variables(source: Check) -> Check:
    """Variables, with or without those of the installation's own secrets."""
    one = fields(
        {
            "name": _VARIABLE,
            "value": _content,
            "valueFrom": source,
        },
        needed=("name",),
    )
    return items(one, MOST_VARIABLES)


_OF_THE_POD: Final[dict[str, Check]] = {
    "fieldRef": fields(
        {"fieldPath": one_of("metadata.name", "metadata.namespace", "status.podIP")}, needed=("fieldPath",)
    ),
    "resourceFieldRef": fields(
        {"resource": one_of("limits.cpu", "limits.memory", "requests.cpu", "requests.memory"),
         "divisor": text(r"[0-9]{1,6}(?:m|[kMG]i?)?", "a quantity in quotes, such as '1Mi'")},
        needed=("resource",),
    ),
}  # fmt: skip
_OF_ITS_SECRETS: Final[Check] = fields(
    {"name": only(OWN), "key": _VARIABLE},
    needed=("name", "key"),
)
_DISK: Final = judged(_is_disk, f"must be at most {MOST_DISK >> 30}Gi, such as 2Gi")
_HARDENED: Final[dict[str, Check]] = {
    "allowPrivilegeEscalation": only(fixed=False),
    "readOnlyRootFilesystem": only(fixed=True),
    "runAsNonRoot": only(fixed=True),
    "capabilities": fields({"drop": only(["ALL"])}),
}
_ANY_CONTAINER: Final[dict[str, Check]] = {
    "name": _NAME,
    "imagePullPolicy": one_of("Always", "IfNotPresent", "Never"),
    "volumeMounts": items(_mount, MOST_VOLUMES),
    "securityContext": fields(_HARDENED),
}
_SERVER: Final = fields(
    {
        **_ANY_CONTAINER,
        "name": judged(
            lambda name: bool(name == CONTAINER),
            f"must be {CONTAINER}: a pod has the one container; what runs before it is an init container",
        ),
        "env": _variables(fields(_OF_THE_POD)),
        "resources": fields(
            {"limits": fields({"ephemeral-storage": _DISK}), "requests": fields({"ephemeral-storage": _DISK})}
        ),
    },
    needed=("name",),
)
_INIT: Final = fields(
    {
        **_ANY_CONTAINER,
        "name": judged(lambda name: name != CONTAINER, f"must be another name than {CONTAINER}"),
        "image": raising(check_image, BrokenRule, lambda why: str(why.message)),
        "command": _WORDS,
        "args": _WORDS,
        "workingDir": _ABSOLUTE,
        "env": _variables(fields({**_OF_THE_POD, "secretKeyRef": _OF_ITS_SECRETS})),
    },
    needed=("name", "image"),
)
_VOLUME: Final = fields(
    {"name": _NAME, "emptyDir": fields({"sizeLimit": _DISK, "medium": only("Memory")}, needed=("sizeLimit",))},
    needed=("name", "emptyDir"),
)
_TOLERATION: Final = fields(
    {
        "key": _node_key,
        "operator": one_of("Equal", "Exists"),
        "value": _VALUE,
        "effect": one_of("NoSchedule", "PreferNoSchedule", "NoExecute"),
        "tolerationSeconds": number(0, 86_400),
    },
    needed=("key",),
)
_USER: Final = number(1, _MOST_ID)
_POD: Final = fields(
    {
        "nodeSelector": pairs(_node_key, _VALUE, 16, replaces=True),
        "tolerations": items(_TOLERATION, 16),
        "hostAliases": items(
            fields(
                {"ip": judged(_is_address, "must be an IP address"),
                 "hostnames": items(text(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", "the name of a host"), 16)},
                needed=("ip", "hostnames"),
            ),
            16,
        ),
        "securityContext": fields(
            {"runAsUser": _USER, "runAsGroup": _USER, "fsGroup": _USER, "runAsNonRoot": only(fixed=True),
             "seccompProfile": fields({"type": only("RuntimeDefault")})}
        ),
        "automountServiceAccountToken": only(fixed=False),
        "enableServiceLinks": only(fixed=False),
        "initContainers": items(_INIT, MOST_INIT_CONTAINERS),
        "containers": items(_SERVER, 8),
        "volumes": items(_VOLUME, MOST_VOLUMES),
    }
)  # fmt: skip


def _free_key(value: Any, path: Path, faults: Faults) -> None:
    judged(
        lambda key: key.startswith(FREE),
        f"may make others act on it: policies, meshes, injectors; those that begin with {FREE} are free",
    )(value, path, faults)
    text(_KEY, "the key of a label")(value, path, faults)


def is_free(key: str, of: str) -> bool:
    """Whether an override may set this one of an object's `labels` or `annotations`."""
    return key.startswith(FREE) or (of == "annotations" and key in _AUTOSCALERS)


def _annotation_key(value: Any, path: Path, faults: Faults) -> None:
    if not is_free(value, "annotations"):
        _free_key(value, path, faults)


_METADATA: Final = fields(
    {
        "labels": pairs(_free_key, _VALUE, 16),
        "annotations": pairs(_annotation_key, text(r"(?s).*", "text; numbers and true in quotes"), 16),
    }
)
DEPLOYMENT: Final = fields(
    {
        "apiVersion": only("apps/v1"),
        "kind": only("Deployment"),
        "metadata": _METADATA,
        "spec": fields({"template": fields({"metadata": _METADATA, "spec": _POD})}),
    }
)
"""Of a whole override."""
