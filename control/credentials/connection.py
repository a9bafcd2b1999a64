"""An installation as a proxy may use it: address, headers, and how to speak.

Called by discovery (`control/discovery/`) and by the resolve calls (`control/internal/`), so that what was probed is
what is called. Leaves out who may have it: that is `resolution.py`. Secrets come opened, on the way into a sealed
answer, and are nowhere kept.
"""

from collections.abc import Mapping
from typing import Any

from control.credentials.cure import install_link, to_give_again
from control.registry.binding import origin_of
from control.registry.credentials import CREDENTIAL, credential_headers, placement_of
from control.registry.fields import field_headers, fields_of
from control.registry.row_seals import OpenedSecrets
from core.resolve import Connection, ConnectionRefusal

Row = Mapping[str, Any]


def connection_of(entry: Row, installation: Row, secrets: OpenedSecrets) -> Connection | ConnectionRefusal:
    """The connection, or `needs_sign_in` where the secrets were given for another origin than the entry now has.

    `entry` and `installation` are whole rows of their tables. Headers are lower case; the installation's own (fields
    and credential) go over the entry's fixed ones.
    """
    refusal = why_not_usable(entry, installation)
    if refusal is not None:
        return refusal
    own = field_headers(fields_of(entry["fields"]), installation["plain_values"], secrets.values)
    credential = secrets.values.get(CREDENTIAL)
    if entry["credential_model"] == "static":
        if credential is None:
            return needs_sign_in(entry, installation, "has no credential yet")
        own += credential_headers(placement_of(entry["credential_placement"]), credential)
    return Connection(
        installation_id=str(installation["id"]),
        entry_id=str(entry["id"]),
        entry=entry["slug"],
        owner=owner_of(installation),
        kind=entry["kind"],
        url=entry["url"],
        version=entry["version"] + installation["credential_version"] - 1,
        fixed_headers=sorted(secrets.fixed_headers.items()),
        credential_headers=own,
        protocol=installation["protocol"],
        isolation=entry["isolation"],
        deadline_s=entry["deadline_s"],
    )


def why_not_usable(entry: Row, installation: Row) -> ConnectionRefusal | None:
    """A credential is bound to the origin that it was given for; a moved server does not get it."""
    if installation["state"] == "needs_sign_in":
        return needs_sign_in(entry, installation, "must be given its credential again")
    if installation["secret_names"] and installation["bound_origin"] != origin_of(entry["url"]):
        return needs_sign_in(entry, installation, "was given a credential for another address of this server")
    return None


def needs_sign_in(entry: Row, installation: Row, because: str) -> ConnectionRefusal:
    """The refusal, with what to do about it."""
    sentence = f"The installation {installation['name']!r} of {entry['name']} {because}."
    return ConnectionRefusal("needs_sign_in", f"{sentence} {to_give_again(installation)}", install_link(entry))


def owner_of(installation: Row) -> str:
    """`user:ID`, `team:ID` or `organisation`."""
    if installation["scope"] == "personal":
        return f"user:{installation['user_id']}"
    return f"team:{installation['team_id']}" if installation["scope"] == "team" else "organisation"
