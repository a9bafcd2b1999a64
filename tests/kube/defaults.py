"""What a Kubernetes API server fills in by itself, and the form in which it writes quantities.

Somebody who compares what is there with what they sent must not take these for changes.
"""

from __future__ import annotations

import base64
import re
from decimal import Decimal
from typing import Any

Thing = dict[str, Any]
_QUANTITY = re.compile(r"([0-9.]+)([EPTGMk]i?|Ki|m|u|n)?")
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -3, "u": -2, "m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_DEPLOYMENT = {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}
_ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
_POD: Thing = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
}
_CONTAINER: Thing = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


def fill_in(thing: Thing, cluster_ip: str) -> None:
    """Fill in what the API server would; the object is changed."""
    match thing["kind"]:
        case "Deployment" | "ReplicaSet":
            spec = thing["spec"]
            if thing["kind"] == "Deployment":
                _default(spec, _DEPLOYMENT | {"strategy": dict(_ROLLING)})
            _fill_pod(spec.get("template", {}).get("spec"))
        case "Pod":
            _fill_pod(thing.get("spec"))
        case "Service":
            _fill_service(thing["spec"], cluster_ip)
        case "Secret":
            _fill_secret(thing)
        case "NetworkPolicy":
            _fill_policy(thing["spec"])


def _default(at: Thing, values: Thing) -> None:
    for name, value in values.items():
        at.setdefault(name, value.copy() if isinstance(value, dict) else value)


def _fill_pod(pod: Thing | None) -> None:
    if pod is None:
        return
    _default(pod, _POD)
    for volume in pod.get("volumes", ()):
        if "secret" in volume:
            volume["secret"].setdefault("defaultMode", 0o644)
    for container in (*pod.get("containers", ()), *pod.get("initContainers", ())):
        _fill_container(container)


def _fill_container(container: Thing) -> None:
    _default(container, _CONTAINER)
    tag = container.get("image", "").rpartition("/")[2].partition(":")[2]
    pinned = "@" in container.get("image", "") or tag not in {"", "latest"}
    container.setdefault("imagePullPolicy", "IfNotPresent" if pinned else "Always")
    for port in container.get("ports", ()):
        port.setdefault("protocol", "TCP")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        if probe in container:
            _default(container[probe], _PROBE)
            if "httpGet" in container[probe]:
                _default(container[probe]["httpGet"], {"path": "/", "scheme": "HTTP"})
    for amounts in container["resources"].values():
        for name, amount in amounts.items():
            amounts[name] = canonical_quantity(str(amount))
    for entry in container.get("env", ()):
        if entry.get("value") == "":  # an empty value is not written
            del entry["value"]


def _fill_service(spec: Thing, cluster_ip: str) -> None:
    _default(spec, {"type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster"})
    _default(spec, {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "clusterIP": cluster_ip})
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    for port in spec.get("ports", ()):
        _default(port, {"protocol": "TCP", "targetPort": port.get("port")})


def _fill_secret(thing: Thing) -> None:
    thing.setdefault("type", "Opaque")
    if text := thing.pop("stringData", None):
        coded = {name: base64.b64encode(value.encode()).decode() for name, value in text.items()}
        thing["data"] = thing.get("data", {}) | coded


def _fill_policy(spec: Thing) -> None:
    spec.setdefault("podSelector", {})
    spec.setdefault("policyTypes", ["Ingress", "Egress"] if "egress" in spec else ["Ingress"])
    for rule in (*spec.get("ingress", ()), *spec.get("egress", ())):
        for port in rule.get("ports", ()):
            port.setdefault("protocol", "TCP")


def canonical_quantity(text: str) -> str:
    """A quantity as the API writes it: the largest unit in which it is a whole number.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """
    found = _QUANTITY.fullmatch(text)
    if found is None:
        return text
    number, unit = Decimal(found[1]), found[2] or ""
    step, units = (1024, _BINARY) if unit in _BINARY else (1000, _DECIMAL)
    power = units[unit]
    while number != number.to_integral_value() and power > min(units.values()):
        number, power = number * step, power - 1
    while number and number % step == 0 and power < max(units.values()):
        number, power = number / step, power + 1
    name = next(name for name, one in units.items() if one == power)
    return f"{number.normalize():f}{name}"
