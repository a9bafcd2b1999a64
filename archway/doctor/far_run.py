"""A deployment elsewhere, as its admin API tells of it: its listeners, and each installation with its cure.

Called by examine.py where the environment has an address and a token. Leaves out processes: whoever runs them knows.
"""

from collections.abc import Mapping

from archway.admin.connection import TOKEN, URL
from archway.admin_client import AdminApi
from archway.doctor.finding import Finding, note
from archway.doctor.local_run import check_installations
from archway.status.deployment import look


def check_deployment(environment: Mapping[str, str], *, must: bool) -> list[Finding]:
    """What the admin API at ARCHWAY_ADMIN_URL tells; nothing where the two variables are not set.

    `must`: that it does not answer is wrong, and not only worth knowing, as before a start.
    """
    url, token = environment.get(URL, "").strip(), environment.get(TOKEN, "").strip()
    if not url and not token:
        return []
    if not url or not token:
        there, missing = (URL, TOKEN) if url else (TOKEN, URL)
        return [Finding(f"{there} is set and {missing} is not", cure="set both, or neither")]
    found = look(AdminApi(url.rstrip("/").removesuffix("/api/v1"), token))
    wrong = Finding if must else note
    findings = [
        wrong(f"{one.name} at {one.url}: {one.trouble}", cure="start it, or correct the address")
        if one.trouble
        else Finding(f"{one.name} at {one.url} is ready", level="ok")
        for one in found.listeners
    ]
    if found.trouble:
        findings.append(wrong(f"the admin API says: {found.trouble}", cure=f"check {URL} and {TOKEN}"))
    return findings + check_installations(found.installations)
