"""The profile "restricted" of the Pod Security Standards, held against a pod as it would be applied. Pure.

The namespace's own admission holds it too, where it is set up; here it is held whatever the cluster does, and while
the person who wrote it is still there. https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from control.orchestrator.override.faults import Fault

_CONTAINERS: Final = ("initContainers", "containers", "ephemeralContainers")
_VOLUMES: Final = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
)
_SYSCTLS: Final = frozenset(
    {
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
    }
)  # fmt: skip
_SECCOMP: Final = frozenset({"RuntimeDefault", "Localhost"})
_SELINUX: Final = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_PROBES: Final = ("startupProbe", "readinessProbe", "livenessProbe")
_HOOKS: Final = ("postStart", "preStop")


def breaches(pod: Mapping[str, Any], annotations: Mapping[str, str]) -> list[Fault]:
    """Where a pod (its `spec`) is not as "restricted" wants it."""
    return [Fault(path, sentence) for path, sentence in _of_pod(pod, annotations)]


def _of_pod(pod: Mapping[str, Any], annotations: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            yield name, "would share what is the machine's"
    for number, volume in enumerate(pod.get("volumes") or ()):
        for kind in sorted(volume.keys() - {"name"} - _VOLUMES):
            yield f"volumes[{number}].{kind}", "is a kind of volume that is not allowed"
    for key, value in annotations.items():
        if key.startswith(_APPARMOR) and value != "runtime/default" and not value.startswith("localhost/"):
            yield "", f"takes AppArmor away with the annotation {key}"
    context = pod.get("securityContext") or {}
    yield from _of_either(context, "securityContext")
    for number, one in enumerate(context.get("sysctls") or ()):
        if one.get("name") not in _SYSCTLS:
            yield f"securityContext.sysctls[{number}]", "is not one of the safe ones"
    for kind in _CONTAINERS:
        for number, container in enumerate(pod.get(kind) or ()):
            yield from _of_container(container, context, f"{kind}[{number}]")


def _of_container(container: Mapping[str, Any], of_pod: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    own = container.get("securityContext") or {}
    where = f"{path}.securityContext"
    yield from _of_either(own, where)
    if own.get("privileged"):
        yield f"{where}.privileged", "would have all rights of the machine"
    if own.get("allowPrivilegeEscalation") is not False:
        yield f"{where}.allowPrivilegeEscalation", "must be false"
    if own.get("procMount", "Default") != "Default":
        yield f"{where}.procMount", "must be Default"
    capabilities = own.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or ()):
        yield f"{where}.capabilities.drop", "must have ALL"
    if set(capabilities.get("add") or ()) - {"NET_BIND_SERVICE"}:
        yield f"{where}.capabilities.add", "must be empty"
    if own.get("runAsNonRoot", of_pod.get("runAsNonRoot")) is not True:
        yield f"{where}.runAsNonRoot", "must be true"
    profile = own.get("seccompProfile") or of_pod.get("seccompProfile") or {}
    if profile.get("type") not in _SECCOMP:
        yield f"{where}.seccompProfile", "must be RuntimeDefault"
    for number, port in enumerate(container.get("ports") or ()):
        if port.get("hostPort"):
            yield f"{path}.ports[{number}].hostPort", "would be a port of the machine"
    yield from _of_hosts(container, path)


def _of_hosts(container: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """What the machine is made to ask for a container: of the container alone, at no other host."""
    hooks = container.get("lifecycle") or {}
    handlers = [(name, container.get(name) or {}) for name in _PROBES]
    handlers += [(f"lifecycle.{name}", hooks.get(name) or {}) for name in _HOOKS]
    for name, handler in handlers:
        for way in ("httpGet", "tcpSocket"):
            if (handler.get(way) or {}).get("host"):
                yield f"{path}.{name}.{way}.host", "would have the machine ask another host"


def _of_either(context: Mapping[str, Any], where: str) -> Iterator[tuple[str, str]]:
    if context.get("runAsUser") == 0:
        yield f"{where}.runAsUser", "must not be 0, which is root"
    if context.get("runAsNonRoot", True) is not True:
        yield f"{where}.runAsNonRoot", "must be true"
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield f"{where}.windowsOptions.hostProcess", "would be a process of the machine"
    linux = context.get("seLinuxOptions") or {}
    if linux.get("type", "") not in _SELINUX or linux.get("user") or linux.get("role"):
        yield f"{where}.seLinuxOptions", "would take SELinux away"
    if context.get("appArmorProfile", {}).get("type", "RuntimeDefault") not in _SECCOMP:
        yield f"{where}.appArmorProfile", "would take AppArmor away"
    if context.get("seccompProfile", {}).get("type", "RuntimeDefault") not in _SECCOMP:
        yield f"{where}.seccompProfile", "must be RuntimeDefault"
