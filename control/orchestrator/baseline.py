"""The baseline of a namespace: a policy that shuts all pods of ours to whatever no other policy opens. Pure.

Policies add up, and each server's own opens what that server needs. So the baseline holds only a pod whose own policy
is not there: one whose policy somebody deleted, say. It selects pods by the label of this Archway, and no others
that may be in the namespace. https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from collections.abc import Collection, Iterable

from control.orchestrator.defaults import Defaults
from control.orchestrator.identity import INSTALLATION, INSTANCE, MANAGER, shared_name
from control.orchestrator.kinds import POLICY, Object


def baseline(defaults: Defaults, namespace: str) -> Object:
    """The policy of this namespace."""
    ours = {INSTANCE: defaults.instance_id}
    named = {"app.kubernetes.io/managed-by": MANAGER, "app.kubernetes.io/component": "baseline"}
    return {
        "apiVersion": POLICY.api_version,
        "kind": POLICY.kind,
        "metadata": {
            "name": shared_name(defaults.instance_id, "baseline"),
            "namespace": namespace,
            "labels": named | ours,
        },
        "spec": {"podSelector": {"matchLabels": ours}, "policyTypes": ["Ingress", "Egress"]},
    }


def cuts_off(policies: Iterable[Object], applied: Collection[str]) -> bool:
    """Whether a server would lose what it reaches: its policy was made by version 0.1, which said nothing of that,
    and is not among those that were `applied` since.
    """
    silent = (one["metadata"]["labels"] for one in policies if "Egress" not in one["spec"].get("policyTypes", ()))
    return any(INSTALLATION in labels and labels[INSTALLATION] not in applied for labels in silent)
