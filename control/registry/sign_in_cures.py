"""What helps somebody who could not sign in, as sentences with the command: said where a step failed. Pure.

Called by the checks of `control/oauth/` and by what reads the steps that proxies tell. Names in a command are quoted,
since a client chooses its own.
"""

from shlex import quote


def let_in(slug: str, client_id: str) -> str:
    """A gateway that names its clients must name this one too."""
    return f"If you trust the client, let it in: archway gateways update {slug} --add-client {quote(client_id)}"


def look_at_provider(entry: str) -> str:
    """A sign-in at a server's provider came to nothing, perhaps by what the entry says of it."""
    return f"What is known of its provider, and what an admin has to do: archway entries sign-in {quote(entry)}"


def visible_to_them(slug: str) -> str:
    """A gateway that somebody may not see."""
    return (
        f"Let one of the person's teams see it: archway gateways update {slug} --add-team TEAM. "
        "Or give the client the URL of a gateway that they see: their Connect page lists those."
    )


def visible_to_its_team(slug: str, client_id: str) -> str:
    """A gateway that a client may not see which acts by itself, as a member of its team."""
    return (
        f"Give the client a team that sees the gateway: archway oauth-clients update {quote(client_id)} --team TEAM. "
        f"Or let its team see it: archway gateways update {slug} --add-team TEAM"
    )
