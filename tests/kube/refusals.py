"""A refusal of a Kubernetes API, and the `Status` object that says it."""

from __future__ import annotations

from typing import Any


class ApiRefusal(Exception):
    """What the API refuses, with its HTTP status, reason and message."""

    def __init__(self, status: int, reason: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.reason, self.message, self.retry_after = status, reason, message, retry_after


def invalid(kind: str, name: str, *faults: str) -> ApiRefusal:
    """422: what an object says is not possible."""
    text = faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]"
    return ApiRefusal(422, "Invalid", f'{kind} "{name}" is invalid: {text}')


def status_object(refusal: ApiRefusal) -> dict[str, Any]:
    """The body of the answer."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": refusal.message,
        "reason": refusal.reason,
        "code": refusal.status,
    }
