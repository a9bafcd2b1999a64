"""What the newest versions of Kubernetes say against an object: unknown fields, wrong types, what is missing.

The schemas are in the package `kubernetes-validate`, so no cluster is asked. They know no custom resources, and say
nothing of what only an API server judges, such as whether a selector fits its template.
"""

from __future__ import annotations

from typing import Any

import kubernetes_validate

NEWEST_MINORS = ("1.35", "1.36", "1.37")


def said_against(kubernetes_object: dict[str, Any], version: str) -> str:
    """The first complaint about it, with the path of the field; '' where there is none."""
    try:
        kubernetes_validate.validate(kubernetes_object, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        return error.message
    return ""
