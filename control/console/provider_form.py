"""The form of an identity provider: what the admin API takes, made of its fields, and its fields made of a provider.

Called by the pages of identity providers. Not in it: whether it is switched on, which hosts are approved and what
claims give; those have forms of their own, which say what follows from them.
"""

from typing import Any, Final

from control.console.exchange_form import exchange_of_form, form_of_exchange
from control.console.forms import Form
from control.registry.identity_provider import NO_EXCHANGE, ProviderFields

_TEXTS: Final = (
    "slug", "name", "issuer", "client_id", "client_authentication", "email_claim", "name_claim", "teams_claim",
    "roles_claim", "highest_role",
)  # fmt: skip
_TICKS: Final = ("sign_in", "match_email", "create_people", "assume_email_verified", "admits_external")
_WORDS: Final = ("scopes", "allowed_domains", "algorithms")
_LINES: Final = ("audiences",)


def new_provider_form(slug: str) -> Form:
    """The form before anything was typed: people sign in with it, and are found by their address."""
    return Form(
        form_of_exchange(NO_EXCHANGE)
        | {
            "slug": slug, "name": "", "issuer": "", "sign_in": "true", "client_id": "", "client_secret": "",
            "client_authentication": "client_secret_basic", "scopes": "openid profile email offline_access",
            "authorize_parameters": "", "allowed_domains": "", "match_email": "true", "highest_role": "member",
            "email_claim": "email", "name_claim": "name", "teams_claim": "", "roles_claim": "",
            "audiences": "", "algorithms": "RS256 PS256 ES256 EdDSA",
        }
    )  # fmt: skip


def form_of_provider(provider: ProviderFields, version: int) -> Form:
    """The form of a provider as it is kept; its secret is never put back."""
    parameters = [f"{name}={value}" for name, value in provider.authorize_parameters.items()]
    return Form(
        {name: getattr(provider, name) for name in _TEXTS}
        | {name: "true" if getattr(provider, name) else "" for name in _TICKS}
        | {name: " ".join(getattr(provider, name)) for name in _WORDS}
        | {name: "\n".join(getattr(provider, name)) for name in _LINES}
        | {"authorize_parameters": "\n".join(parameters), "client_secret": "", "version": str(version)}
        | form_of_exchange(provider.exchange)
    )


def made_of(form: Form) -> dict[str, Any]:
    """The fields of a provider that are no single text in the form."""
    parameters = (line.partition("=") for line in form.lines("authorize_parameters"))
    return (
        {name: form.flag(name) for name in _TICKS}
        | {name: form.words(name) for name in _WORDS}
        | {name: form.lines(name) for name in _LINES}
        | {"authorize_parameters": {name.strip(): value.strip() for name, _, value in parameters}}
        | exchange_of_form(form)
    )
