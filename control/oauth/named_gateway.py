"""The gateway that a client asks for (RFC 8707), whatever it calls it; one name in the end, and never none.

Called by the authorize endpoint and by each kind of grant.
"""

from control.oauth.errors import OAuthRefused
from control.oauth.parameters import Parameters
from control.oauth.server import AuthorizationServer
from control.registry.gateway import Gateway
from control.registry.resources import gateway_named_by
from control.registry.sign_in_cures import let_in
from control.store import gateway_names
from control.store.pool import Connection

_CURE = "Give the client the gateway's URL as its Connect page shows it: `archway gateways show` prints it too."


async def asked_gateway(connection: Connection, server: AuthorizationServer, form: Parameters) -> Gateway | None:
    """The gateway of the parameter `resource`, None where that is not given; raises OAuthRefused `invalid_target`.

    It may come twice only if both mean the same: a token is for one gateway.
    """
    found: dict[str, Gateway] = {}
    for resource in form.all("resource"):
        gateway = await gateway_of(connection, server, resource)
        if gateway is None:
            raise invalid_target("The resource is not a gateway of this server.", asked=f"resource {resource}")
        found[gateway.id] = gateway
    if len(found) > 1:
        raise invalid_target("The request names two gateways; a token is for one.")
    return next(iter(found.values()), None)


async def gateway_of(connection: Connection, server: AuthorizationServer, resource: str) -> Gateway | None:
    """The gateway that a resource means, by whatever name; None for what is no gateway of ours."""
    name = gateway_named_by(resource, server.public_url)
    return await gateway_names.by_any_name(connection, name) if name is not None else None


async def check_same(connection: Connection, server: AuthorizationServer, form: Parameters, gateway_id: str) -> None:
    """Raise OAuthRefused where the request names another gateway than the grant is for; it need not name any."""
    asked = await asked_gateway(connection, server, form)
    if asked is not None and asked.id != gateway_id:
        raise invalid_target("The grant is for another gateway.")


def named_in_notes(server: AuthorizationServer, form: Parameters) -> str:
    """What a note calls the gateway that was asked for: its name, where the resource is a gateway's URL of ours."""
    resource = form.one("resource")
    return gateway_named_by(resource, server.public_url) or resource


def invalid_target(sentence: str, *, asked: str = "", cure: str = _CURE) -> OAuthRefused:
    """A resource that no token can be made for."""
    return OAuthRefused("invalid_target", sentence, cure=cure, asked=asked)


def not_let_in(client_id: str, gateway: Gateway) -> OAuthRefused:
    """A gateway that names other clients than this one; the trace says which, and how this one is added."""
    return OAuthRefused(
        "access_denied",
        "The gateway does not let this client in.",
        reason=f"The gateway {gateway.slug} lets in only the clients that it names, and this is none of them.",
        asked=f"client_id {client_id}; the gateway names {', '.join(gateway.allowed_clients)}",
        cure=let_in(gateway.slug, client_id),
    )
