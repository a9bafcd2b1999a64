"""Installations on the command line, and why one of them cannot be used yet."""

from collections.abc import Mapping
from shlex import quote
from typing import Any

from archway.admin.commands import commands
from archway.admin.names import SERVER_WORDS, with_standings
from archway.admin.resource import Action, Option, Resource

BAD_PATH = "Check the path of the URL."
"""Said in `state_reason` where a server answers and has nothing at this path: the entry's URL is to be mended."""


def why_not_ready(installation: Mapping[str, Any]) -> str:
    """Why an installation cannot be used yet, and what to do; '' for one that is ready."""
    state, address = installation.get("state"), str(installation.get("address", ""))
    runs = installation.get("runs") or {}
    if runs.get("phase", "ready") not in {"ready", "degraded", "asleep"}:
        why = runs.get("sentence") or f"archway installations show {quote(address)} tells when it is."
        does = SERVER_WORDS.get(runs["phase"], runs["phase"])
        return f"{address} is not ready ({does}): {why}\n{runs.get('cure', '')}".rstrip()
    if state in {"ready", None}:
        return ""
    why = installation.get("state_reason") or "Its server was not asked yet."
    again = f"archway installations discover {quote(address)}"
    if state in {"needs_sign_in", "credential_refused"}:
        given = "--credential (or --secret NAME, --value NAME=TEXT)"
        again = f"archway installations update {quote(address)} {given} asks the server again"
    elif BAD_PATH in why:
        slug = quote(str(installation.get("entry_slug") or address.partition("@")[0]))
        again = f"archway entries update {slug} --url URL\nThen: {again}"
        return f"{address} is not ready ({state}): {why}\nMend the entry: {again}"
    return f"{address} is not ready ({state}): {why}\nWhen that is mended: {again}"


ANSWER = "An answer to a field: name=text, or name:=5 for numbers and truth values; may be repeated."

INSTALLATION = Resource(
    name="installations",
    one="installation",
    path="/installations",
    help="Entries put to use: with somebody's answers and credential, for a person, a team, a program or everybody.",
    columns=("name", "owner", "entry_slug", "default", "standing", "cause", "protocol", "id"),
    for_people=with_standings,
    names=("name", "address"),
    filters=(
        Option("entry_id", "Only of this entry.", "reference", of="entry", flag="entry"),
        Option("scope", "personal, team, organisation or service."),
        Option(
            "state",
            "Only in this state: new, ready, needs_sign_in, credential_refused, unreachable.",
            flag="in_state",
        ),
        Option("name", "Only what goes by it: ENTRY@OWNER such as crm@Support, crm@Support/staging, or its name."),
    ),
    create=(
        Option("entry_id", "The entry to install.", "reference", of="entry", flag="entry", needed=True),
        Option(
            "scope", "personal, team, organisation, or service for an OAuth client that acts by itself.", needed=True
        ),
        Option("name", "By default the entry's name; for any owner but the organisation ENTRY@OWNER."),
        Option("team_id", "The team, with the scope team.", "reference", of="team", flag="team"),
        Option(
            "oauth_client_id",
            "The client, with the scope service.",
            "reference",
            of="oauth_client",
            flag="oauth_client",
        ),
        Option("protocol", "auto, legacy, 2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25 or 2026-07-28."),
        Option("values", ANSWER, "map", flag="value"),
        Option("values", "A secret answer: the field's name; the value is asked for.", "secrets", flag="secret"),
        Option("credential", "Ask for the key or token of an entry with the model static.", "prompt"),
        Option("default", "Make it the owner's default of this entry; the first is anyway.", "flag"),
    ),
    update=(
        Option("name", "Name for people."),
        Option("protocol", "auto, legacy, 2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25 or 2026-07-28."),
        Option("values", ANSWER, "map", flag="value"),
        Option("values", "A secret answer: the field's name; the value is asked for.", "secrets", flag="secret"),
        Option("credential", "Ask for another key or token.", "prompt"),
        Option("default", "Make it the owner's default of this entry, in the place of the one that was.", "flag"),
    ),
    cascade=True,
    actions=(
        Action("discover", "Ask the server again for its tools.", "discovered"),
        Action("restart", "Restart its server, where Archway runs it.", "restarts"),
    ),
    why_not_ready=why_not_ready,
    made_ready_by=frozenset({"protocol", "values", "credential"}),
    examples={
        "create": (
            "archway installations create --entry time --scope organisation",
            "archway installations create --entry crm --scope team --team Platform --credential",
            "CRM_TOKEN=... archway installations create --entry crm --scope personal "
            "--value-from-env credential=CRM_TOKEN",
            "archway installations create --entry crm --scope team --team Support --name staging --credential",
            "archway installations create --entry crm --scope service --oauth-client nightly --credential",
        ),
        "list": ("archway installations list --entry crm", "archway installations list --name crm@Support"),
        "show": ("archway installations show crm@Support",),
        "update": (
            "archway installations update crm@Support --credential",
            "archway installations update crm@Support/staging --default",
        ),
        "delete": ("archway installations delete crm@Support --cascade",),
        "restart": ("archway installations restart crm@Support",),
        "discover": ("archway installations discover Time", "archway installations discover crm@Support"),
    },
)
INSTALLATIONS = commands(INSTALLATION)
