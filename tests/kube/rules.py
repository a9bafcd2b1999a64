"""What a Kubernetes API server refuses beyond the form of an object: names, labels, what belongs together.

Only what a mistake of ours could run into; the messages are those of the API.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from tests.kube.kinds import Kind
from tests.kube.refusals import ApiRefusal, invalid

Thing = dict[str, Any]
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
LABEL_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
SECRET_KEY = re.compile(r"[-._a-zA-Z0-9]+")
PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")
VARIABLE = re.compile(r"[\x20-\x3c\x3e-\x7e]+")
BIGGEST_SECRET = 1 << 20
DOCKER_CONFIG = "kubernetes.io/dockerconfigjson"


def check_rules(kind: Kind, thing: Thing, old: Thing | None) -> None:
    """Raises ApiRefusal (422) for an object that the API would not take. Defaults are filled in already."""
    faults = [*_faults_of_metadata(kind, thing["metadata"]), *_faults_of_kind(thing, old)]
    if faults:
        raise _invalid(kind, thing, *faults)


def _invalid(kind: Kind, thing: Thing, *faults: str) -> ApiRefusal:
    said = f"{kind.name}.{kind.group}" if kind.group else kind.name
    return invalid(said, thing["metadata"]["name"], *faults)


def _faults_of_metadata(kind: Kind, metadata: Thing) -> Iterator[str]:
    name = metadata["name"]
    is_label = kind.plural in {"namespaces", "services"}
    pattern = SERVICE_NAME if kind.plural == "services" else LABEL if is_label else SUBDOMAIN
    if not pattern.fullmatch(name) or len(name) > (63 if is_label else 253):
        yield f'metadata.name: Invalid value: "{name}": a lowercase RFC 1123 name must consist of lower case ' + (
            "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
        )
    yield from _faults_of_labels(metadata.get("labels"), "metadata.labels")
    for key in metadata.get("annotations") or {}:
        yield from _faults_of_key(key.lower(), "metadata.annotations")
    for number, owner in enumerate(metadata.get("ownerReferences") or ()):
        if not owner.get("uid"):
            yield f'metadata.ownerReferences[{number}].uid: Invalid value: "": must not be empty'


def _faults_of_labels(labels: Thing | None, where: str) -> Iterator[str]:
    for key, value in (labels or {}).items():
        yield from _faults_of_key(key, where)
        if not LABEL_VALUE.fullmatch(value) or len(value) > 63:
            yield f'{where}: Invalid value: "{value}": a valid label must be an empty string or consist of ' + (
                "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
            )


def _faults_of_key(key: str, where: str) -> Iterator[str]:
    prefix, _, name = key.rpartition("/")
    if (prefix and not SUBDOMAIN.fullmatch(prefix)) or not LABEL_NAME.fullmatch(name) or len(name) > 63:
        yield f'{where}: Invalid value: "{key}": name part must consist of alphanumeric characters'


def _faults_of_kind(thing: Thing, old: Thing | None) -> Iterator[str]:
    match thing["kind"]:
        case "Secret":
            yield from _faults_of_secret(thing, old)
        case "Deployment":
            yield from _faults_of_deployment(thing["spec"], old)
        case "Pod":
            yield from _faults_of_pod(thing["spec"], "spec")
        case "NetworkPolicy":
            yield from _faults_of_policy(thing["spec"])
        case "Service" if old is not None and old["spec"]["clusterIP"] != thing["spec"]["clusterIP"]:
            yield "spec.clusterIPs[0]: Invalid value: []string(nil): primary clusterIP can not be unset"


def _faults_of_secret(thing: Thing, old: Thing | None) -> Iterator[str]:
    content = thing.get("data") or {}
    if old is not None and old.get("immutable"):
        if content != (old.get("data") or {}):
            yield "data: Forbidden: field is immutable when `immutable` is set"
        if not thing.get("immutable"):
            yield "immutable: Forbidden: field is immutable when `immutable` is set"
    if old is not None and old["type"] != thing["type"]:
        yield f'type: Invalid value: "{thing["type"]}": field is immutable'
    for key in content:
        if not SECRET_KEY.fullmatch(key):
            yield f'data[{key}]: Invalid value: "{key}": a valid config key must consist of alphanumeric characters'
    if thing["type"] == DOCKER_CONFIG and ".dockerconfigjson" not in content:
        yield "data[.dockerconfigjson]: Required value"
    if sum(_decoded_size(value) for value in content.values()) > BIGGEST_SECRET:
        yield f"data: Too long: may not be more than {BIGGEST_SECRET} bytes"


def _decoded_size(value: str) -> int:
    try:
        return len(base64.b64decode(value, validate=True))
    except binascii.Error as fault:
        raise ApiRefusal(400, "BadRequest", f"Secret in version v1 cannot be handled as a Secret: {fault}") from fault


def _faults_of_deployment(spec: Thing, old: Thing | None) -> Iterator[str]:
    wanted = spec["selector"].get("matchLabels") or {}
    if not wanted:
        yield "spec.selector: Invalid value: {}: empty selector is invalid for deployment"
    labels = spec["template"].get("metadata", {}).get("labels") or {}
    if any(labels.get(name) != value for name, value in wanted.items()):
        yield "spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`"
    yield from _faults_of_labels(labels, "spec.template.metadata.labels")
    if old is not None and old["spec"]["selector"] != spec["selector"]:
        yield "spec.selector: Invalid value: field is immutable"
    if spec["strategy"]["type"] == "Recreate" and "rollingUpdate" in spec["strategy"]:
        yield "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"
    if spec["progressDeadlineSeconds"] <= spec.get("minReadySeconds", 0):
        yield "spec.progressDeadlineSeconds: Invalid value: must be greater than minReadySeconds"
    yield from _faults_of_pod(spec["template"].get("spec", {}), "spec.template.spec")


def _faults_of_pod(pod: Thing, where: str) -> Iterator[str]:
    volumes = [one["name"] for one in pod.get("volumes", ())]
    if not pod.get("containers"):
        yield f"{where}.containers: Required value"
    for doubled in {name for name in volumes if volumes.count(name) > 1}:
        yield f'{where}.volumes: Duplicate value: "{doubled}"'
    for name in volumes:
        if not LABEL.fullmatch(name) or len(name) > 63:
            yield f'{where}.volumes: Invalid value: "{name}": a lowercase RFC 1123 label must consist of'
    for number, container in enumerate(pod.get("containers", ())):
        yield from _faults_of_container(container, volumes, f"{where}.containers[{number}]")


def _faults_of_container(container: Thing, volumes: list[str], where: str) -> Iterator[str]:
    if not LABEL.fullmatch(container["name"]) or len(container["name"]) > 63:
        yield f'{where}.name: Invalid value: "{container["name"]}": a lowercase RFC 1123 label must consist of'
    if not container.get("image"):
        yield f"{where}.image: Required value"
    elif container["image"] != container["image"].strip():
        yield f'{where}.image: Invalid value: "{container["image"]}": must not have leading or trailing whitespace'
    for mount in container.get("volumeMounts", ()):
        if mount["name"] not in volumes:
            yield f'{where}.volumeMounts[0].name: Not found: "{mount["name"]}"'
    paths = [mount["mountPath"] for mount in container.get("volumeMounts", ())]
    for doubled in {path for path in paths if paths.count(path) > 1}:
        yield f'{where}.volumeMounts: Invalid value: "{doubled}": must be unique'
    for entry in container.get("env", ()):
        if not VARIABLE.fullmatch(entry["name"]):
            yield f'{where}.env[0].name: Invalid value: "{entry["name"]}": a valid environment variable name must'
        if "value" in entry and "valueFrom" in entry:
            yield f'{where}.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'
    for port in container.get("ports", ()):
        if not 0 < port["containerPort"] < 65_536:
            yield f"{where}.ports[0].containerPort: Invalid value: must be between 1 and 65535, inclusive"
        if "name" in port and (not PORT_NAME.fullmatch(port["name"]) or len(port["name"]) > 15):
            yield f'{where}.ports[0].name: Invalid value: "{port["name"]}": must be no more than 15 characters'
    for name, wanted in container.get("resources", {}).get("requests", {}).items():
        yield from _fault_of_request(name, wanted, container["resources"].get("limits", {}).get(name), where)


def _fault_of_request(name: str, request: str, limit: str | None, where: str) -> Iterator[str]:
    units = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
    if limit is None:
        return
    sizes = [re.fullmatch(r"([0-9.]+)(.*)", one) for one in (request, limit)]
    wanted, most = (float(one[1]) * units.get(one[2], 1) if one else 0 for one in sizes)
    if wanted > most:
        yield f'{where}.resources.requests: Invalid value: "{request}": must be less than or equal to {name} limit'


def _faults_of_policy(spec: Thing) -> Iterator[str]:
    for way, side in (("ingress", "from"), ("egress", "to")):
        for peer in (peer for rule in spec.get(way, ()) for peer in rule.get(side, ())):
            for cidr in (peer.get("ipBlock", {}).get("cidr"), *peer.get("ipBlock", {}).get("except", ())):
                try:
                    ipaddress.ip_network(cidr or "0.0.0.0/0")
                except ValueError:
                    yield f'spec.{way}[0].{side}[0].ipBlock.cidr: Invalid value: "{cidr}": must be a valid CIDR value'
