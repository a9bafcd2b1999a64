"""Whether an object in the cluster is still as we want it, so that nothing is asked of the API where it is.

Compared is only what we say: what the API adds by itself and what others set beside it is theirs. What we said
before and say no more is seen by `FINGERPRINT`, an annotation with the digest of what was applied last. Pure.
"""

import re
from decimal import Decimal
from hashlib import sha256
from itertools import repeat
from typing import Any, Final

import orjson

from control.orchestrator.kinds import SECRET, Object

FINGERPRINT: Final = "archway.dev/applied"
_QUANTITY: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(m|[kMGTPE]|[KMGTPE]i)?")
_TIMES: Final[dict[str | None, Decimal]] = {
    None: Decimal(1), "m": Decimal("0.001"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}  # fmt: skip
"""https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/"""
_QUANTITIES: Final = {"requests", "limits"}
_AMOUNTS: Final = {"sizeLimit"}
_MERGED: Final = {
    ("Deployment", "containers"): "name",
    ("Deployment", "initContainers"): "name",
    ("Deployment", "env"): "name",
    ("Deployment", "volumes"): "name",
    ("Deployment", "imagePullSecrets"): "name",
    ("Deployment", "volumeMounts"): "mountPath",
    ("Deployment", "ports"): "containerPort",
    ("Service", "ports"): "port",
}
"""Lists whose items others may add to, and by what the items are told apart; every other list is ours as a whole."""
_SECRET: Final = SECRET.kind


def fingerprinted(wanted: Object) -> Object:
    """What is applied: `wanted` with its digest. A secret has none, since a short one could be guessed by it; its
    content is compared whole.
    """
    if wanted["kind"] == _SECRET:
        return wanted
    digest = sha256(orjson.dumps(wanted, option=orjson.OPT_SORT_KEYS)).hexdigest()
    metadata = wanted["metadata"]
    return {
        **wanted,
        "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), FINGERPRINT: digest}},
    }


def differs(wanted: Object, found: Object | None) -> bool:
    """Whether `found` is not as `wanted`, which is fingerprinted, says. Gone, or about to go, differs."""
    if found is None or found["metadata"].get("deletionTimestamp"):
        return True
    if wanted["kind"] == _SECRET:
        labels_fit = _within(wanted["metadata"], found["metadata"], _SECRET)
        return not labels_fit or _content(wanted) != _content(found)
    return not _within(wanted, found, wanted["kind"])


def _content(secret: Object) -> tuple[Any, ...]:
    return secret.get("data") or {}, secret.get("type", "Opaque"), bool(secret.get("immutable"))


def _within(wanted: Any, found: Any, kind: str, place: str = "") -> bool:
    """Whether all that is wanted is found, and may be more."""
    if _is_nothing(wanted):
        return _is_nothing(found)
    if isinstance(wanted, dict) and isinstance(found, dict):
        if place in _QUANTITIES:
            return all(_amount(value) == _amount(found.get(key)) for key, value in wanted.items())
        return all(_within(value, found.get(key), kind, key) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        name = _MERGED.get((kind, place))
        if name is None:
            return len(wanted) == len(found) and all(map(_within, wanted, found, repeat(kind)))
        by_name = {item.get(name): item for item in found}
        return all(_within(item, by_name.get(item[name]), kind) for item in wanted)
    if place in _AMOUNTS:
        return bool(_amount(wanted) == _amount(found))
    return bool(wanted == found)


def _amount(text: Any) -> Any:
    """A quantity as a number, as the API writes 0.5 as 500m; what is none as it is."""
    found = _QUANTITY.fullmatch(str(text))
    return Decimal(found[1]) * _TIMES[found[2]] if found else text


def _is_nothing(value: Any) -> bool:
    """The API leaves out what is empty or zero, and writes some of it where it was left out."""
    return value in (None, "", 0, False) or value in ([], {})
