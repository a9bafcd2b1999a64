"""Why an override does not say a field: a sentence for those that people try, and one for all others. Pure."""

from types import MappingProxyType
from typing import Final

PAGE: Final = "docs/administering/deployment-override.md"
_MACHINE: Final = "would share what is the machine's: no server may"
_OURS: Final = "is set by Archway, which finds its servers and their policies by it"
_ROOT: Final = "would give it rights that no server has"
_ACCOUNT: Final = "is none of a server's: it has no account in the cluster"
_VOLUME: Final = "is a kind of volume that no server has; the pod's own are emptyDir"
_OTHERS: Final = "would give it what belongs to somebody else; say the variables of the entry's own secrets in `env`"
_PLACED: Final = "cannot be chosen: say nodeSelector and tolerations, and the scheduler finds the node"
_WAYS: Final = "is what proxies reach it by; say port, path and health_path of the entry"
_ROLLED: Final = "is how Archway starts, restarts and ends servers"

_WHYS: Final = MappingProxyType(
    {
        **dict.fromkeys(("hostNetwork", "hostPID", "hostIPC", "hostUsers", "shareProcessNamespace"), _MACHINE),
        **dict.fromkeys(("privileged", "procMount", "add", "sysctls", "seLinuxOptions", "appArmorProfile"), _ROOT),
        **dict.fromkeys(("serviceAccountName", "serviceAccount"), _ACCOUNT),
        **dict.fromkeys(("name", "namespace", "generateName", "selector", "uid", "resourceVersion"), _OURS),
        **dict.fromkeys(("ownerReferences", "finalizers", "managedFields"), _OURS),
        **dict.fromkeys(
            ("hostPath", "csi", "nfs", "iscsi", "projected", "persistentVolumeClaim", "ephemeral", "downwardAPI",
             "flexVolume", "cephfs", "rbd", "glusterfs", "fc", "gitRepo"),
            _VOLUME,
        ),
        **dict.fromkeys(("envFrom", "secret", "configMap", "configMapKeyRef", "fileKeyRef"), _OTHERS),
        **dict.fromkeys(("nodeName", "affinity"), _PLACED),
        **dict.fromkeys(("schedulerName", "priorityClassName", "priority", "runtimeClassName"),
                        "is the operator's to choose for the whole cluster"),
        **dict.fromkeys(("ports", "startupProbe", "readinessProbe", "livenessProbe", "hostPort"), _WAYS),
        **dict.fromkeys(
            ("replicas", "strategy", "minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit", "paused",
             "terminationGracePeriodSeconds", "lifecycle"),
            _ROLLED,
        ),
        **dict.fromkeys(("command", "args", "workingDir"), "is the entry's: say it in run.command"),
        "image": "is the entry's: say it in run.image",
        "restartPolicy": "would make it a program beside the server: a pod of ours has one, and init containers end",
        "ephemeralContainers": "would be programs beside the server: a pod of ours has one",
        "imagePullSecrets": "are those of the entry: say them in run.pull_secrets, where it is seen whose they are",
        "cpu": "is the entry's, and counts for its team: say it in run.resources",
        "memory": "is the entry's, and counts for its team: say it in run.resources",
        "status": "is what the cluster says",
        "$patch": "would take away what is Archway's; say what is to be added",
    }
)  # fmt: skip


def why_refused(name: str) -> str:
    """The sentence for a field that is not among those that may be said."""
    return _WHYS.get(name) or f"is not among what may be said over a Deployment; {PAGE} has the list"
