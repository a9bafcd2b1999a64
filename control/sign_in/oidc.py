"""Single sign-on in the browser: off to an identity provider, and back with a session.

A part of the listener for people. What a browser began is sealed into a cookie of that browser alone, named after the
sign-in's state, so that several tabs may be under way; it is gone once it has come back. Leaves out what is checked
of the answer: `control/identity/single_sign_on.py`.
"""

import base64
from datetime import timedelta
from typing import Final

import msgspec
from aiohttp import web

from control.changes.write import changing
from control.http.client_address import client_address
from control.http.cookies import clear_cookie, set_cookie
from control.http.problems import Problem
from control.http.return_to import local_path
from control.identity.round_trip import COOKIE_PREFIX, Begun, cookie_word, pack_begun, unpack_begun
from control.identity.single_sign_on import CALLBACK, SignedIn, SignInRefused
from control.providers.browser_round import AGE_S
from control.public.deps import PublicDeps
from control.public.visitor import PUBLIC_DEPS
from control.registry.sign_in_attempt import NewAttempt
from control.sign_in.entering import enter, person, welcome
from core.sealing import SealBroken

START: Final = "/sign-in/oidc/{provider}"
_CURE: Final = "Begin again at the sign-in page; it may help to close other tabs of it."
_STATUS: Final = {"away": 503, "refused": 403, "nobody": 403}
_MOST_UNDER_WAY: Final = 5
_LONGEST_COOKIE: Final = 4_000
"""A browser keeps no longer one, so neither does it come back."""


def routes(_deps: PublicDeps) -> list[web.RouteDef]:
    """The two addresses of single sign-on, for `control/public_listener.py`."""
    slug = "{provider:[a-z0-9-]{1,63}}"
    return [
        web.get(START.replace("{provider}", slug), start, allow_head=False),
        web.get(CALLBACK.replace("{provider}", slug), callback, allow_head=False),
    ]


async def start(request: web.Request) -> web.Response:
    """Send the browser to the provider; it comes back to `callback`, and then goes on to `return_to`."""
    deps = request.app[PUBLIC_DEPS]
    return_to = local_path(request.query.get("return_to"))
    try:
        url, begun = await deps.single_sign_on.begin(request.match_info["provider"], return_to)
    except SignInRefused as refused:
        raise await _refused(request, refused) from None
    response = web.Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})
    _forget_oldest(request, response, deps)
    age = timedelta(seconds=AGE_S)
    set_cookie(response, deps.cookies, cookie_word(begun.state), _sealed(deps, begun), age)
    return response


async def callback(request: web.Request) -> web.Response:
    """The browser is back: it gets a session, with a secret that no browser had before, or is told why not."""
    deps, slug = request.app[PUBLIC_DEPS], request.match_info["provider"]
    answer = dict(request.query)
    try:
        if len(answer) != len(request.query):
            raise SignInRefused("The identity provider answered twice in one: begin again.", why="repeated")
        signed_in = await deps.single_sign_on.finish(slug, answer, _begun(request, deps, answer.get("state", "")))
    except SignInRefused as refused:
        raise await _refused(request, refused) from None
    return await _let_in(request, deps, signed_in, answer["state"])


async def _let_in(request: web.Request, deps: PublicDeps, signed_in: SignedIn, state: str) -> web.Response:
    actor = await person(request, deps, signed_in.user_id)
    if actor is None:
        raise Problem(403, "Your account here was disabled just now. Ask an administrator of Archway.")
    async with changing(deps.pool, actor) as write:
        entered = await enter(write, request, deps, method="oidc", provider_id=signed_in.provider.id)
    response = await welcome(deps, entered, signed_in.return_to)
    clear_cookie(response, deps.cookies, cookie_word(state))
    return response


async def _refused(request: web.Request, refused: SignInRefused) -> Problem:
    """The page of a sign-in that failed, and its trace for an admin."""
    deps = request.app[PUBLIC_DEPS]
    await deps.sign_ins.note(
        NewAttempt(
            step="signed_in",
            client=request.match_info["provider"],
            user_id=refused.user_id,
            address=client_address(request),
            reason=refused.why,
            cure=refused.cure or _CURE,
        )
    )
    return Problem(_STATUS[refused.kind], str(refused))


def _sealed(deps: PublicDeps, begun: Begun) -> str:
    sealed = deps.seals.browser_cookie(cookie_word(begun.state), pack_begun(begun))
    text = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
    if len(text) > _LONGEST_COOKIE:  # a very long way back: the person finds it again by themselves
        return _sealed(deps, msgspec.structs.replace(begun, return_to=local_path("")))
    return text


def _begun(request: web.Request, deps: PublicDeps, state: str) -> Begun | None:
    """What this browser began under this state; None for nothing."""
    word = cookie_word(state)
    text = request.cookies.get(deps.cookies.name(word), "")
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return unpack_begun(deps.seals.open_browser_cookie(word, sealed))
    except (ValueError, SealBroken, msgspec.MsgspecError):  # no base64, or not even ASCII
        return None


def _forget_oldest(request: web.Request, response: web.Response, deps: PublicDeps) -> None:
    """Sign-ins that were begun and never ended fill no browser."""
    prefix, suffix = deps.cookies.name(COOKIE_PREFIX).removesuffix(deps.cookies.suffix), deps.cookies.suffix
    under_way = [name for name in request.cookies if name.startswith(prefix) and name.endswith(suffix)]
    for name in under_way[: max(0, len(under_way) - _MOST_UNDER_WAY + 1)]:
        clear_cookie(
            response, deps.cookies, name.removeprefix(prefix.removesuffix(COOKIE_PREFIX)).removesuffix(suffix)
        )
