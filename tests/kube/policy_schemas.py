"""The three kinds of egress policies that are custom resources, as JSON schemas: strict, and written for our tests.

Narrower than what their controllers take: a field that we do not use is an error, as in a strict check of Kubernetes'
own kinds. The limits are those of the definitions that Amazon, Google and Cilium publish; what those say in CEL or in
their documentation alone is said here as schema too.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jsonschema_rs

from tests.kube import schemas

Schema = dict[str, Any]
_LABEL = "[a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?"
AWS_DOMAIN = rf"^(\*\.)?({_LABEL}\.)+{_LABEL}\.?$"
GKE_NAME = r"^([a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])*\.?)*$"
GKE_PATTERN = r"^([a-zA-Z0-9*]([-a-zA-Z0-9_*]*[a-zA-Z0-9*])*\.?)*$"
CILIUM_NAME = r"^([-a-zA-Z0-9_]+[.]?)+$"
CILIUM_PATTERN = r"^([-a-zA-Z0-9_*]+[.]?)+$"
CILIUM_PORT = r"^(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[0-9]{1,4})$"


def _closed(required: tuple[str, ...] = (), /, **properties: Schema) -> Schema:
    return {
        "type": "object", "properties": properties, "additionalProperties": False,
        "required": list(required or properties),
    }  # fmt: skip


def _list(items: Schema, least: int = 1, most: int = 10_000) -> Schema:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


_NUMBER: Schema = {"type": "integer", "minimum": 1, "maximum": 65_535}
_TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string", "maxLength": 63}, "minProperties": 1}
_CHOSEN = _closed(matchLabels=_TEXTS)
_EXPRESSION = _closed(key={"type": "string"}, operator={"enum": ["In"]}, values=_list({"type": "string"}))
_EXISTING = _closed(key={"type": "string"}, operator={"enum": ["Exists"]})
_BLOCK = _closed(("cidr",), cidr={"type": "string"}, **{"except": _list({"type": "string"})})


def _names(exact: str, key: str, pattern: str, wild: str) -> Schema:
    said = {key: {"type": "string", "pattern": exact, "maxLength": 255}}
    wilder = {wild: {"type": "string", "pattern": pattern, "maxLength": 255}}
    return {"oneOf": [_closed(**said), _closed(**wilder)]}


_AWS_PORT = _closed(("protocol", "port"), protocol={"enum": ["TCP", "UDP"]}, port=_NUMBER, endPort=_NUMBER)
_AWS_PEER: Schema = {
    "oneOf": [  # "This field is mutually exclusive with PodSelector, NamespaceSelector, and IPBlock."
        _closed(domainNames=_list({"type": "string", "pattern": AWS_DOMAIN})),
        _closed(ipBlock=_BLOCK),
        _closed(
            ("namespaceSelector",),
            namespaceSelector={"oneOf": [_CHOSEN, {"type": "object", "maxProperties": 0}]},
            podSelector=_closed(matchExpressions=_list(_EXPRESSION)),
        ),
    ]
}
_CILIUM_NAMES = _names(CILIUM_NAME, "matchName", CILIUM_PATTERN, "matchPattern")
_CILIUM_PORTS = _list(
    _closed(
        ("ports",),
        ports=_list(
            _closed(
                ("port", "protocol"),
                port={"type": "string", "pattern": CILIUM_PORT},
                endPort=_NUMBER,
                protocol={"enum": ["TCP", "ANY"]},
            ),
            most=40,
        ),
        rules=_closed(dns=_list(_CILIUM_NAMES)),
    ),
    most=1,
)
_CILIUM_TO = {
    "toEndpoints": _list({"oneOf": [_CHOSEN, _closed(matchExpressions=_list(_EXISTING))]}),
    "toCIDRSet": _list(_BLOCK),
    "toFQDNs": _list(_CILIUM_NAMES),
    "toEntities": _list({"enum": ["remote-node"]}),
}


def _cilium_rule(to: str) -> Schema:
    """Each rule has one kind of destination."""
    return _closed((to,), **{to: _CILIUM_TO[to], "toPorts": _CILIUM_PORTS})


SPECS: dict[tuple[str, str], Schema] = {
    ("networking.k8s.aws/v1alpha1", "ApplicationNetworkPolicy"): _closed(
        podSelector=_CHOSEN,
        policyTypes={"const": ["Egress"]},
        egress=_list(_closed(("to",), to=_list(_AWS_PEER), ports=_list(_AWS_PORT))),
    ),
    ("cilium.io/v2", "CiliumNetworkPolicy"): _closed(
        ("endpointSelector", "egress"),
        endpointSelector=_CHOSEN,
        egress=_list({"oneOf": [_cilium_rule(to) for to in _CILIUM_TO]}),
        egressDeny=_list(_closed(("toCIDR",), toCIDR=_list({"type": "string"}))),
    ),
    ("networking.gke.io/v1alpha1", "FQDNNetworkPolicy"): _closed(
        podSelector=_CHOSEN,
        egress=_list(
            _closed(
                matches=_list(_names(GKE_NAME, "name", GKE_PATTERN, "pattern")),
                ports=_list(_closed(protocol={"enum": ["TCP", "UDP", "ALL"]}, port=_NUMBER)),
            )
        ),
    ),
}
_METADATA = _closed(
    name={"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63},
    namespace={"type": "string"},
    labels=_TEXTS,
)


@lru_cache(8)
def _validator(api_version: str, kind: str) -> jsonschema_rs.Draft202012Validator:
    whole = _closed(
        apiVersion={"const": api_version}, kind={"const": kind}, metadata=_METADATA, spec=SPECS[api_version, kind]
    )
    return jsonschema_rs.Draft202012Validator(whole)


def complaints(policy: dict[str, Any]) -> list[str]:
    """What an API server, or the controller of a custom resource, has against a policy."""
    where = policy["apiVersion"], policy["kind"]
    if where not in SPECS:
        said = schemas.complaints(policy)
    else:
        said = [f"{one.instance_path}: {one.message}" for one in _validator(*where).iter_errors(policy)]
    return [*said, *_faults_of_blocks(policy)]


def _faults_of_blocks(found: Any) -> Iterator[str]:
    """Blocks without host bits, and exceptions that are a part of them, as all four kinds want."""
    if isinstance(found, list):
        for one in found:
            yield from _faults_of_blocks(one)
    elif isinstance(found, dict):
        for one in found.values():
            yield from _faults_of_blocks(one)
        if "cidr" in found:
            whole = ipaddress.ip_network(found["cidr"])
            for text in found.get("except", ()):
                part: Any = ipaddress.ip_network(text)
                if part.version != whole.version or part == whole or not part.subnet_of(whole):
                    yield f"except: {text} is no part of {whole}"
