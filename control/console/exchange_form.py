"""The part of an identity provider's form that says how it exchanges tokens for servers.

Called by `provider_form.py`. The client's secret is typed, and never put back. Leaves out what may be saved.
"""

from typing import Any, Final

from control.console.forms import Form
from control.registry.identity_provider import Exchange

SECRET: Final = "exchange_client_secret"  # noqa: S105  # the name of a field
_TEXTS: Final = ("style", "token_endpoint", "client_id", "client_authentication", "subject_token")
_TICKS: Final = ("enabled", "sends_scope")
_BEFORE: Final = "exchange-"
"""Before a setting's name: of the field in the form."""


def form_of_exchange(exchange: Exchange) -> dict[str, str]:
    """What stands in the form for it."""
    parameters = "\n".join(f"{name}={value}" for name, value in exchange.parameters.items())
    return (
        {_BEFORE + name: str(getattr(exchange, name)) for name in _TEXTS}
        | {_BEFORE + name: "true" if getattr(exchange, name) else "" for name in _TICKS}
        | {f"{_BEFORE}parameters": parameters, SECRET: ""}
    )


def exchange_of_form(form: Form) -> dict[str, Any]:
    """It, as the admin API takes it, under its name; {} of a form that does not ask."""
    if f"{_BEFORE}style" not in form.given:
        return {}
    pairs = (line.partition("=") for line in form.lines(f"{_BEFORE}parameters"))
    texts = {name: form.value(_BEFORE + name) for name in _TEXTS if form.value(_BEFORE + name)}
    ticks = {name: form.flag(_BEFORE + name) for name in _TICKS}
    parameters = {name.strip(): value.strip() for name, _, value in pairs}
    return {"exchange": {"token_endpoint": "", "client_id": "", **texts, **ticks, "parameters": parameters}}


def field_of_exchange(path: str) -> str:
    """The form's own name for a path of the API."""
    head, dot, rest = path.partition(".")
    return _BEFORE + rest.partition(".")[0] if dot and head == "exchange" else path
