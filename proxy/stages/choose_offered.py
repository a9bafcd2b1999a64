"""Choose the prompt or resource: whose server's it is that a caller names, on this gateway.

The page of an app is read of the server whose tool names it. Where one server alone offers what is asked for, it is
that one's, listed or not: a server may read what it does not list. Where several do, the caller's own lists say whose
a name is (`Deps.lists`), then a template, then the name of the offer before it.
"""

from collections.abc import Awaitable, Callable

from core.mcp.faults import INVALID_PARAMS, MessageFault
from core.mcp.methods import PROMPTS_LIST, RESOURCES_LIST, TEMPLATES_LIST
from core.mcp.versions import Era
from core.snapshot import Offer, OfferKind
from proxy.deps import Deps
from proxy.exchange import Exchange, Target
from proxy.offered.names import whose, whose_template, without_name
from proxy.offered.targets import OfferedArgument, OfferedPrompt, OfferedResource
from proxy.refusals import Refusal
from proxy.stages.take_answers import has_answers, take_answers

Made = Callable[[Offer, str], Target]
_PROMPT, _RESOURCE = "ref/prompt", "ref/resource"


def choose_prompt(x: Exchange, deps: Deps) -> Awaitable[None] | None:
    """Fill the target of `prompts/get`. Refuses `prompt_unknown`; waits where lists must be asked for."""
    name, arguments = x.request.params.get("name"), x.request.params.get("arguments")
    if not isinstance(name, str):
        raise _wrong(x, "params.name must be a string.")
    if arguments is not None and not isinstance(arguments, dict):
        raise _wrong(x, "params.arguments must be an object.")
    if has_answers(x):
        take_answers(x, deps)
    return _choose(x, deps, "prompts", name, OfferedPrompt)


def choose_resource(x: Exchange, deps: Deps) -> Awaitable[None] | None:
    """Fill the target of `resources/read`. Refuses `resource_unknown`; waits where lists must be asked for."""
    uri = x.request.params.get("uri")
    if not isinstance(uri, str):
        raise _wrong(x, "params.uri must be a string.")
    if has_answers(x):
        take_answers(x, deps)
    assert x.gateway is not None
    page = x.gateway.app_pages.get(uri)
    if page is not None:
        x.target = OfferedResource(*page)
        return None
    return _choose(x, deps, "resources", uri, OfferedResource)


def choose_completed(x: Exchange, deps: Deps) -> Awaitable[None] | None:
    """Fill the target of `completion/complete`. Refuses as the others; waits where lists must be asked for."""
    ref, argument = x.request.params.get("ref"), x.request.params.get("argument")
    kind = ref.get("type") if isinstance(ref, dict) else None
    named = ref.get("name" if kind == _PROMPT else "uri") if isinstance(ref, dict) else None
    if kind not in (_PROMPT, _RESOURCE) or not isinstance(named, str):
        raise _wrong(x, "params.ref must be a ref/prompt with a name, or a ref/resource with a uri.")
    if not isinstance(argument, dict):
        raise _wrong(x, "params.argument must be an object with a name and a value.")
    return _choose(x, deps, "prompts" if kind == _PROMPT else "resources", named, OfferedArgument)


def _choose(x: Exchange, deps: Deps, kind: OfferKind, exposed: str, made: Made) -> Awaitable[None] | None:
    assert x.gateway is not None
    offers = x.gateway.offers(kind)
    if len(offers) > 1:
        return _look_up(x, deps, kind, exposed, made)
    if not offers:  # a completion of the other kind
        raise _unknown(x, kind, exposed)
    x.target = made(offers[0], exposed)
    return None


async def _look_up(x: Exchange, deps: Deps, kind: OfferKind, exposed: str, made: Made) -> None:
    x.target = made(*await _found(x, deps, kind, exposed))


async def resource_of(x: Exchange, deps: Deps, exposed: str) -> tuple[Offer, str]:
    """Whose a resource is that a caller names, and the server's own URI of it. Refuses as `choose_resource`."""
    assert x.gateway is not None
    offers = x.gateway.offers("resources")
    return (offers[0], exposed) if len(offers) == 1 else await _found(x, deps, "resources", exposed)


async def _found(x: Exchange, deps: Deps, kind: OfferKind, exposed: str) -> tuple[Offer, str]:
    assert x.gateway is not None
    found = await _whose(x, deps, kind, exposed) or without_name(x.gateway.offers(kind), exposed)
    if found is None:
        raise _unknown(x, kind, exposed)
    return found


async def _whose(x: Exchange, deps: Deps, kind: OfferKind, exposed: str) -> tuple[Offer, str] | None:
    assert x.gateway is not None
    if kind == "prompts":
        return whose((await deps.lists.listing(x, deps, PROMPTS_LIST)).items, exposed)
    found = whose((await deps.lists.listing(x, deps, RESOURCES_LIST)).items, exposed)
    if found is not None:
        return found
    templates = (await deps.lists.listing(x, deps, TEMPLATES_LIST)).items
    return whose(templates, exposed) or whose_template(templates, exposed, x.gateway.offers(kind))


def _unknown(x: Exchange, kind: OfferKind, exposed: str) -> Refusal:
    if kind == "prompts":
        return Refusal("prompt_unknown", prompt=exposed[:128])
    if x.era is Era.MODERN:
        return Refusal("resource_unknown", uri=exposed[:256])
    return Refusal("resource_not_found", uri=exposed[:256])


def _wrong(x: Exchange, sentence: str) -> MessageFault:
    return MessageFault(INVALID_PARAMS, sentence, 400 if x.era is Era.MODERN else 200, x.request.id)
