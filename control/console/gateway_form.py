"""The form of a gateway: what the admin API takes, made of its fields, and its fields made of a gateway.

Called by the pages that make and change one. A part that the page did not show, such as the identity provider to
somebody who may see none, is left as it is.
"""

from dataclasses import replace
from typing import Any, Final

from control.console.forms import Form
from control.http.problems import invalid
from control.registry.gateway import Gateway
from control.registry.visibility import VisibilityKind

_BOXES: Final = {"team:": "teams", "ask:": "may_ask", "environment:": "environments"}
"""What the names of the boxes of a field begin with."""
_PROVIDER: Final = "identity_provider_id"
_AUDIENCE: Final = "identity_provider_audience"
_ASSERTIONS: Final = "takes_assertions"


def new_gateway_form(visibility: VisibilityKind) -> Form:
    """The form before anything was typed."""
    return Form(
        {
            "name": "", "slug": "", "description": "", "visibility": visibility, "teams": "", "instructions": "",
            "labels": "", "header_allowlist": "", "audit_required": "", _PROVIDER: "", _AUDIENCE: "",
            _ASSERTIONS: "", "allowed_clients": "", "may_ask": "elicitation", "tool_loading": "", "environments": "",
        }
    )  # fmt: skip


def form_of_gateway(gateway: Gateway) -> Form:
    """The form of a gateway as it is kept."""
    return Form(
        {
            "name": gateway.name,
            "slug": gateway.slug,
            "description": gateway.description,
            "visibility": gateway.visibility,
            "teams": " ".join(gateway.teams),
            "instructions": gateway.instructions,
            "labels": "\n".join(f"{name}={value}" for name, value in gateway.labels.items()),
            "header_allowlist": "\n".join(gateway.header_allowlist),
            "audit_required": "true" if gateway.audit_required else "",
            _PROVIDER: gateway.identity_provider_id or "",
            _AUDIENCE: gateway.identity_provider_audience,
            _ASSERTIONS: "true" if gateway.takes_assertions else "",
            "allowed_clients": "\n".join(gateway.allowed_clients),
            "may_ask": " ".join(gateway.may_ask),
            "environments": " ".join(gateway.environments),
            "tool_loading": "true" if gateway.tool_loading == "search_and_run" else "",
            "version": str(gateway.version),
        }
    )


def gathered(form: Form) -> Form:
    """The form with the boxes of a field as one value, as it is made and shown again."""
    ticked: dict[str, list[str]] = {field: [] for field in _BOXES.values()}
    rest: dict[str, str] = {}
    for name, text in form.given.items():
        begins = next((one for one in _BOXES if name.startswith(one)), None)
        if begins is None:
            rest[name] = text
        else:
            ticked[_BOXES[begins]].append(name.removeprefix(begins))
    return replace(form, given={**rest, **{field: " ".join(words) for field, words in ticked.items()}})


def made_of(form: Form) -> dict[str, Any]:
    """The fields of a gateway that are no single text in the form. Raises Problem for labels that are none."""
    made: dict[str, Any] = {
        "teams": form.words("teams") if form.value("visibility") == "teams" else [],
        "labels": _labels_of(form),
        "header_allowlist": form.words("header_allowlist"),
        "audit_required": form.flag("audit_required"),
        "allowed_clients": form.words("allowed_clients"),
        "may_ask": form.words("may_ask"),
        "environments": form.words("environments"),
        "tool_loading": "search_and_run" if form.flag("tool_loading") else "all",
    }
    if _PROVIDER in form.given:
        made[_PROVIDER] = form.value(_PROVIDER) or None
        made[_AUDIENCE] = form.value(_AUDIENCE) if form.value(_PROVIDER) else ""
        made[_ASSERTIONS] = form.flag(_ASSERTIONS) and bool(form.value(_PROVIDER))
    return made


def _labels_of(form: Form) -> dict[str, str]:
    labels: dict[str, str] = {}
    for number, line in enumerate(form.lines("labels")):
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise invalid(f"labels[{number}]", "must be name=value")
        labels[name.strip()] = value.strip()
    return labels
