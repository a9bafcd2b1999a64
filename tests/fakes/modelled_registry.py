"""What control holds in a model of two workers: callers, tools of servers of both eras, shared and callers' own."""

from typing import Any

from core.resolve import InstallationRefusal, ResolvedInstallation
from core.snapshot import Tool, Visibility
from tests.fakes.silent_network import Truth

MODERN_URL, LEGACY_URL = "http://192.0.2.9/mcp", "http://192.0.2.10/mcp"
CALLERS = ("ada", "bob", "cyd")
TOOLS = {
    "m_shared": (MODERN_URL, False),
    "m_own": (MODERN_URL, True),
    "l_shared": (LEGACY_URL, False),
    "l_own": (LEGACY_URL, True),
    "m_made": (MODERN_URL, True),
    "l_made": (LEGACY_URL, True),
}
"""By name: the URL of its server, and whether its installation is the caller's own."""
MADE = frozenset({"m_made", "l_made"})
"""Of these, what is sent is another for each credential of a caller."""

KEPT = {MODERN_URL: "m_kept", LEGACY_URL: "l_kept"}
"""Tools that nothing is changed of, by the URL of their server: who calls them keeps connections to it open."""
SEEN_BY = {
    "all": Visibility("organisation"),
    "red": Visibility("teams", ["red"]),
    "ada": Visibility("personal", owner="ada"),
}
GONE = InstallationRefusal("needs_sign_in", "Sign in first.", "http://gw.example/sign-in")


def assigned(truth: Truth) -> dict[str, Tool]:
    """The tools, with an installation of each for everybody who may have one."""
    made = {}
    for name, (url, own) in (TOOLS | {tool: (url, False) for url, tool in KEPT.items()}).items():
        shared, for_credential = installation(name, url, "shared", 1), name in MADE
        made[name] = truth.tool(name, name, shared, per_principal=own, per_credential=for_credential)
        if for_credential:
            truth.made.add(made[name].assignment_id)
        if own:
            for caller in CALLERS:
                truth.own[made[name].assignment_id, caller] = installation(name, url, f"own-{caller}", 1)
    return made


def installation(tool: str, url: str, owner: str, version: int, **more: Any) -> ResolvedInstallation:
    """One whose credential names its owner and its version."""
    return ResolvedInstallation(
        installation_id=f"{tool}-{owner}",
        entry_id=f"entry-{tool}",
        entry=f"srv-{tool}",
        owner="organisation" if owner == "shared" else f"user:{owner.removeprefix('own-')}",
        kind="remote",
        url=url,
        version=version,
        credential_headers=[("Authorization", f"Bearer {owner} v{version}")],
        **more,
    )
