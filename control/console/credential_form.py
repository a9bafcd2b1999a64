"""The part of an entry's form that says what its credential is: a choice of kinds, each with its own settings.

The settings are drawn from the class that declares them (`control/registry/credential.py`), so a kind that is added
there is on the form; its words stand in the tables below. Called by `entry_form.py`. Leaves out the secrets of
installations, and what may be saved, which is judged where entries are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import msgspec

from control.console.forms import Form
from control.registry.credential import ENDPOINTS, KINDS, settings_class

Widget = Literal["text", "choice", "words", "pairs", "tick"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a kind, as the form asks for it."""

    name: str
    """Of the field in the form: `static-style`."""
    setting: str
    label: str
    hint: str
    widget: Widget
    required: bool
    choices: tuple[tuple[str, str], ...] = ()
    rare: bool = False
    """Whether most entries of the kind leave it as it is."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of credential, as the form offers it."""

    kind: str
    label: str
    sentence: str
    settings: tuple[Setting, ...]


KIND_WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "none": ("None", "The server asks for no credential."),
        "static": ("A key or token", "Whoever installs it brings a key, which is sent with every request."),
        "oauth": ("Signing in (OAuth)", "Each person signs in at the provider with their own account."),
        "client_credentials": (
            "Client credentials (OAuth)",
            "Whoever installs it brings the ID and secret of a client that acts by itself, for a team or all.",
        ),
        "token_exchange": (
            "Exchange at the identity provider",
            "The caller's identity provider gives a token for this server, as the person who calls. Nobody signs in "
            "a second time.",
        ),
        "id_jag": (
            "Assertion of the identity provider (ID-JAG)",
            "The server's own authorization server gives a token, since the caller's identity provider says who they "
            "are.",
        ),
        "passthrough": (
            "The caller's own token",
            "The token of their identity provider that the caller came with goes on to the server as it is.",
        ),
    }
)
"""By kind, what it is called and what it means."""
SETTING_WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "style": ("How it is sent", ""),
        "header": ("Header", "Its name, for a header of its own: x-api-key."),
        "variable": ("Variable", "Of a program that Archway runs: the environment variable that holds it, API_KEY."),
        "file": ("File", "Of a program that Archway runs: the file in /run/secrets/mcp that holds it."),
        "registration": ("How Archway is known there", ""),
        "client_id": ("Client ID", "Of the client that you registered at the provider."),
        "client_authentication": ("How the client proves itself", ""),
        "issuer": ("Issuer", "Of the provider; left empty, it is found out from the server."),
        "authorization_endpoint": ("Authorization endpoint", "Where people are sent; left empty, it is found out."),
        "token_endpoint": ("Token endpoint", "Where tokens are given; left empty, it is found out."),
        "registration_endpoint": ("Registration endpoint", "Left empty, it is found out."),
        "revocation_endpoint": ("Revocation endpoint", "Where tokens are taken back; left empty, it is found out."),
        "scopes": (
            "Scopes",
            "What is asked for, set apart by spaces; left empty, what the server names.",
        ),
        "resource": ("Resource", "Left empty, the server's own; omit, for a provider that refuses it."),
        "authorize_parameters": (
            "More parameters",
            "Of the address that people are sent to, name=value on each line.",
        ),
        "approved_hosts": (
            "Approved hosts",
            "Where the provider may have endpoints besides the server's own host: https://accounts.google.com",
        ),
        "account_endpoint": (
            "Where the account's name is asked",
            "For a provider that does not say who signed in: https://api.github.com/user",
        ),
        "account_claim": ("The member with its name", "Of that answer: login."),
        "identity_provider_id": ("Identity provider", "Whose word for the caller counts."),
        "audience": ("Audience", "What the token is for, as the provider calls this server."),
        "audiences": ("Audiences", "Only a token that is for one of these is sent on; set apart by spaces."),
        "scopes_at_server": ("Scopes there", "What the server's own authorization server is asked for."),
        "server_scopes": ("Scopes of its own", "Only where those are others than above; set apart by spaces."),
    }
)
"""By setting, its label and help. One that is not here is shown with its declared description."""
_RARE: Final = {
    "oauth": {
        *ENDPOINTS, "resource", "authorize_parameters", "approved_hosts", "account_endpoint", "account_claim",
        "variable", "file",
    },
    "client_credentials": {"resource", "approved_hosts", "variable", "file"},
    "token_exchange": {"resource"},
    "id_jag": {"token_endpoint", "resource", "scopes_at_server", "server_scopes", "approved_hosts"},
}  # fmt: skip
"""By kind, what stands under *More*."""
VALUE_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bearer": "Authorization: Bearer, then the key",
        "authorization": "Authorization, the key alone",
        "header": "In a header of its own",
        "variable": "At the start, in an environment variable",
        "file": "At the start, in a file",
        "auto": "Found out",
        "own": "With a client that you registered there",
        "document": "By a document that Archway publishes",
        "dynamic": "It registers itself",
        "": "Found out",
        "client_secret_basic": "With the secret, in a header",
        "client_secret_post": "With the secret, in the form",
        "private_key_jwt": "With a private key",
        "none": "By nothing (a public client)",
        "same": "The same scopes",
        "omit": "None",
        "named": "Scopes of its own",
    }
)
"""Values of settings that have only some."""


def kinds(providers: Sequence[tuple[str, str]] = ()) -> list[Kind]:
    """Every kind of credential there is, with its settings. `providers`: identity providers that exchange tokens,
    identifier and name, to be chosen among; without any, one is typed.
    """
    found = [_kind(one) for one in KINDS]
    return [replace(one, settings=tuple(_offered(it, providers) for it in one.settings)) for one in found]


def _offered(setting: Setting, providers: Sequence[tuple[str, str]]) -> Setting:
    if setting.setting != "identity_provider_id" or not providers:
        return setting
    return replace(setting, widget="choice", choices=(("", "Choose one"), *providers))


def kind_label(kind: str) -> str:
    """What a kind is called."""
    return KIND_WORDS[kind][0] if kind in KIND_WORDS else kind.replace("_", " ")


def form_of_credential(kind: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the form for a credential of this kind; of the other kinds, what is usual."""
    given = {"credential_model": kind}
    for one in kinds():
        usual = {field.name: field.default for field in msgspec.structs.fields(settings_class(one.kind))}
        for setting in one.settings:
            value = settings.get(setting.setting) if one.kind == kind else None
            given[setting.name] = _text(usual[setting.setting] if value is None else value, setting)
    return given


def credential_of_form(form: Form) -> dict[str, Any]:
    """The kind, and its settings as the admin API takes them: what is left empty is not given."""
    kind = form.value("credential_model")
    found = next((one for one in kinds() if one.kind == kind), None)
    if found is None or not found.settings:
        return {"credential_model": kind, "credential_placement": None}
    settings = {one.setting: _value(form, one) for one in found.settings}
    given = {name: value for name, value in settings.items() if value not in ("", (), {})}
    return {"credential_model": kind, "credential_placement": given}


def field_of_setting(path: str, kind: str) -> str:
    """The form's field that a path of the API is about: `credential_placement.style` is `static-style`."""
    head, _, rest = path.partition(".")
    if head != "credential_placement" or kind not in KINDS:
        return path
    names = settings_class(kind).__struct_fields__
    setting = rest.partition("[")[0].partition(".")[0]
    if setting in names:
        return f"{kind}-{setting}"
    return f"{kind}-{names[0]}" if names and not rest else path


def _kind(kind: str) -> Kind:
    declared = settings_class(kind)
    label, sentence = KIND_WORDS.get(kind, (kind_label(kind), declared.__doc__ or ""))
    return Kind(kind, label, sentence, tuple(_setting(kind, one) for one in msgspec.structs.fields(declared)))


def _setting(kind: str, declared: Any) -> Setting:
    bare, described = _bare(declared.type)
    label, hint = SETTING_WORDS.get(declared.name, (declared.name.replace("_", " ").capitalize(), described))
    widget = _widget(bare)
    values = [str(one) for one in get_args(bare)] if widget == "choice" else []
    choices = tuple((one, VALUE_WORDS.get(one, one)) for one in values)
    required = declared.default is msgspec.NODEFAULT and declared.default_factory is msgspec.NODEFAULT
    rare = declared.name in _RARE.get(kind, ())
    return Setting(f"{kind}-{declared.name}", declared.name, label, hint, widget, required, choices, rare)


def _bare(declared: Any) -> tuple[Any, str]:
    """The type without what is said of it, and its description."""
    if get_origin(declared) is not Annotated:
        return declared, ""
    bare, *rules = get_args(declared)
    told = [rule.description for rule in rules if isinstance(rule, msgspec.Meta) and rule.description]
    return bare, " ".join(told).replace("`", "")


def _widget(bare: Any) -> Widget:
    if get_origin(bare) is Literal:
        return "choice"
    if bare is bool:
        return "tick"
    if get_origin(bare) in {list, tuple}:
        return "words"
    return "pairs" if get_origin(bare) is dict or bare is dict else "text"


def _text(value: Any, setting: Setting) -> str:
    """A value as it stands in the form's field."""
    if setting.widget == "tick":
        return "true" if value is True else ""
    if isinstance(value, Mapping):
        return "\n".join(f"{name}={one}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    if isinstance(value, str):
        return value
    return setting.choices[0][0] if setting.choices else ""


def _value(form: Form, setting: Setting) -> Any:
    match setting.widget:
        case "tick":
            return form.flag(setting.name)
        case "words":
            return tuple(form.words(setting.name))
        case "pairs":
            pairs = (line.partition("=") for line in form.lines(setting.name))
            return {name.strip(): value.strip() for name, _, value in pairs}
    return form.value(setting.name)
