"""Where to sign in for a gateway: its metadata as a protected resource (RFC 9728).

A client that got a 401 reads it without a credential: it has none yet. So whoever guesses a gateway's name learns by
it that people sign in there, and where; a gateway that some may not see is not hidden from that. Nothing else is
told: no title, no tools, no owner, nobody who may enter, and neither the slug to who knows the identifier nor the
other way round. Nor is a guess worth anything to who has signed in, since they get the same 404 from a gateway that
they do not see as for none. A gateway that takes only `arch_` tokens answers as one that does not exist.

`resource` is the very URL that was asked about, by whichever of the gateway's names: else clients must not use the
document (RFC 9728 section 3.3), and they do refuse it. All names are one resource to the authorization server, which
makes tokens for the canonical one alone (`proxy/gateways/resources.py`).
"""

from collections.abc import Awaitable
from dataclasses import replace

import orjson

from core.jwt import CALL_SCOPE
from proxy.answers.sign_in_steps import METADATA_PATH, note_metadata
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.gateways.compiled import CompiledGateway
from proxy.gateways.resources import GATEWAY_PATH
from proxy.refusals import Refusal
from proxy.stages.admit import admit


def protected_resource(x: Exchange, deps: Deps) -> Answer | Awaitable[Answer]:
    """The metadata of one gateway. Refuses 404 `no_sign_in`; waits only for a gateway that is not here yet."""
    judge_for_anybody(x, deps)
    gateway = deps.gateways.held(x.gateway_name)
    return _loaded(x, deps) if gateway is None else _told(x, gateway, deps)


def metadata_url(name: str, deps: Deps) -> str:
    """Where the metadata of the gateway with this name is."""
    return f"{deps.settings.base_url}{METADATA_PATH}{GATEWAY_PATH}{name}"


def authorization_servers(gateway: CompiledGateway, deps: Deps) -> list[str]:
    """Where a person signs in for this gateway, the first the one that clients take.

    Ours comes first: any client can make itself known there, and it sends people on to their identity provider. At
    the provider itself a client must be registered beforehand.
    """
    servers = [deps.settings.issuer] if gateway.accepts("oauth") else []
    provider = gateway.snapshot.identity_provider
    if provider is not None and gateway.accepts("jwt"):
        servers.append(provider.issuer)
    return servers


def judge_for_anybody(x: Exchange, deps: Deps) -> None:
    """Check host, headers and the gateway's name as for any request; pages of any origin may read what is public."""
    head, headers = x.head, x.head.headers
    raw = [(name, value) for name, value in head.raw_headers if name.lower() != b"origin"]
    if headers is not None:
        headers = {name: value for name, value in headers.items() if name != "origin"}
    # A copy: the lane's head may be another request's too.
    target = head.target.removeprefix(METADATA_PATH)
    x.head = replace(head, raw_headers=raw, headers=headers, target=target, judged=None)
    try:
        admit(x, deps)
    except Refusal:
        x.head = head  # what is told of a refused request is what came
        raise


async def _loaded(x: Exchange, deps: Deps) -> Answer:
    try:
        gateway = await deps.gateways.load(x.gateway_name, x.address)
    except Refusal as refusal:
        if refusal.reason == "gateway_unknown":
            raise Refusal("no_sign_in") from None
        raise
    return _told(x, gateway, deps)


def _told(x: Exchange, gateway: CompiledGateway, deps: Deps) -> Answer:
    servers = authorization_servers(gateway, deps)
    if not servers:
        raise Refusal("no_sign_in")
    document: dict[str, object] = {
        "resource": f"{deps.settings.base_url}{GATEWAY_PATH}{x.gateway_name}",
        "authorization_servers": servers,
        "bearer_methods_supported": ["header"],
        "resource_name": x.gateway_name,
    }
    if gateway.accepts("oauth"):  # a provider knows no scope of ours, and would refuse it
        document["scopes_supported"] = [CALL_SCOPE]
    note_metadata(x, deps)
    answer = Answer(200, orjson.dumps(document))
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer
