"""Platforms that run agents: Open WebUI and n8n. Both are configured in their own pages."""

from control.console.connecting.step import Step, Steps, Target


def open_webui_signed_in(to: Target) -> Steps:
    """A tool server of Open WebUI whose users sign in themselves."""
    return (
        Step("In Open WebUI, open Admin Settings, then External Tools, and add a server of the type"
             " “MCP (Streamable HTTP)” with this address:", to.url, "URL"),
        Step("Choose OAuth 2.1 as its authentication, register the client, and save. Each user signs in here when"
             " they turn it on in a chat."),
    )  # fmt: skip


def open_webui_token(to: Target) -> Steps:
    """A tool server of Open WebUI with one token for all who use it there."""
    return (
        Step("In Open WebUI, open Admin Settings, then External Tools, and add a server of the type"
             " “MCP (Streamable HTTP)” with this address:", to.url, "URL"),
        Step("Choose Bearer as its authentication, and paste the token. Whoever uses it there calls as its owner:"
             " take a team's token for a team.", to.secret, "Key"),
    )  # fmt: skip


def n8n_signed_in(to: Target) -> Steps:
    """The MCP client node of n8n, signed in by whoever builds the workflow."""
    return (
        Step("Add the node “MCP Client Tool” to an agent; choose HTTP Streamable as its transport, and give it this"
             " address:", to.url, "Endpoint"),
        Step("Choose “MCP OAuth2” as its authentication, make a credential, and choose “Connect my account”: sign in"
             " here."),
    )  # fmt: skip


def n8n_token(to: Target) -> Steps:
    """The MCP client node of n8n with a token."""
    return (
        Step("Add the node “MCP Client Tool” to an agent; choose HTTP Streamable as its transport, and give it this"
             " address:", to.url, "Endpoint"),
        Step("Choose “Bearer Auth” as its authentication, make a credential, and paste the token:", to.secret,
             "Bearer token"),
    )  # fmt: skip
