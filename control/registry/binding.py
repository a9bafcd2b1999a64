"""What a change of its entry makes of an installation: still good, to be discovered again, or to be filled in again.

Called with each installation of an entry in the transaction that changes the entry. A credential is bound to the
origin that it was given for: when the entry moves, nobody's secret follows it to the new address. Judged by what is
so now, not by what changed, so that an entry that moves back finds its installations as they were.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from control.registry.broken_rule import BrokenRule
from control.registry.credentials import CREDENTIAL
from control.registry.fields import check_answers, fields_of
from core.egress.addresses import AddressPolicy

Row = Mapping[str, Any]
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class NewState:
    """The state that an installation gets, and the sentence for whoever looks after it."""

    state: Literal["new", "needs_sign_in"]
    reason: str


def state_after(before: Row, after: Row, installation: Row, policy: AddressPolicy) -> NewState | None:
    """The new state, or None where the installation stays as it is. `before`, `after`: the entry's row."""
    reason = why_to_fill_again(after, installation, policy)
    if reason is not None:
        return NewState("needs_sign_in", reason)
    if before["url"] != after["url"]:
        return NewState("new", "The address of its server changed; discover its tools again.")
    if installation["state"] == "needs_sign_in":
        return NewState("new", "It has all that its entry asks for again; discover its tools.")
    return None


def why_to_fill_again(entry: Row, installation: Row, policy: AddressPolicy) -> str | None:
    """Why a person has to give answers again, or None where all fit the entry."""
    secrets = set(installation["secret_names"])
    if secrets and installation["bound_origin"] != origin_of(entry["url"]):
        return "Its secrets were given for another address of this server; give them again."
    if entry["credential_model"] == "static" and CREDENTIAL not in secrets:
        return "Its entry asks for a credential; give it."
    fields = fields_of(entry["fields"])
    given = {
        one.name: "sealed" if one.type == "secret" else installation["plain_values"].get(one.name)
        for one in fields
        if one.type != "secret" or one.name in secrets
    }
    try:
        check_answers(fields, given, policy)
    except BrokenRule as broken:
        return f"Its answers no longer fit the entry ({broken}); give them again."
    return None


def origin_of(url: str) -> str:
    """Scheme, host and port (RFC 6454 section 4), lower case, the scheme's own port left out."""
    parts = urlsplit(url)
    scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" if port in {None, _DEFAULT_PORTS.get(scheme)} else f"{scheme}://{shown}:{port}"
