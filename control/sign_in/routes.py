"""The pages of signing in and out: a password, a link that is good once, a new password. Plain forms, no script.

Composed by `control/public_listener.py`. What is asked of whoever comes is `door.py`'s; here a form is read, and what
came of it shown. Nothing that a person typed is shown again but their address.
"""

from dataclasses import replace
from typing import Any, Final

from aiohttp import web

from control.changes import people
from control.changes.write import changing
from control.console.forms import Form
from control.console.rendering import render
from control.http import csrf
from control.http.cookies import DOOR, SESSION, clear_cookie, may_be_secret, read_cookie, set_cookie
from control.http.forms import read_form
from control.http.links import LINK_PATH
from control.http.pages import DOOR_POLICY
from control.http.problems import Problem
from control.http.return_to import HOME, local_path
from control.public.deps import PublicDeps
from control.public.visitor import signed_in, visitor_of
from control.registry.broken_rule import BrokenRule
from control.sign_in.door import Door, LinkClosed, NotLetIn, TooOften
from control.sign_in.entering import welcome
from control.sign_in.offered import ways_in
from control.sign_in.passwords import Busy
from control.sign_in.session import new_secret
from control.store import browser_sessions, passwords, users
from control.store.pool import transaction

SECRET: Final = "{secret:[A-Za-z0-9_-]{16,128}}"  # noqa: S105  # a pattern of paths
_BUSY: Final = "Many people sign in right now; try again in a moment."
_WRONG: Final = "The address or the password is wrong."
_DIFFERENT: Final = "is not the same as above"


def routes(deps: PublicDeps, door: Door | None = None) -> list[web.RouteDef]:
    """What the listener for people serves of signing in."""
    pages = SignInPages(deps, door or Door(deps))
    return [
        web.get("/sign-in", pages.show),
        web.post("/sign-in", pages.sign_in),
        web.post("/sign-out", pages.sign_out),
        web.get(LINK_PATH + SECRET, pages.show_link),
        web.post(LINK_PATH + SECRET, pages.use_link),
        web.get("/my/password", pages.show_password),
        web.post("/my/password", pages.change_password),
    ]


class SignInPages:
    """The handlers of the pages on which people sign in and out."""

    def __init__(self, deps: PublicDeps, door: Door) -> None:
        self._deps, self._door = deps, door

    async def show(self, request: web.Request) -> web.Response:
        """The sign-in page; whoever is signed in goes on at once."""
        return_to = local_path(request.query.get("return_to"))
        if visitor_of(request) is not None:
            return web.Response(status=303, headers={"Location": return_to})
        return await self._sign_in_page(request, Form(), return_to)

    async def sign_in(self, request: web.Request) -> web.Response:
        """A password was sent."""
        await csrf.check_at_the_door(request, self._deps.cookies)
        given = await read_form(request)
        email, return_to = given.get("email", "").strip(), local_path(given.get("return_to"))
        form = Form({"email": email, "password": ""})
        try:
            entered = await self._door.by_password(request, email, given.get("password", ""))
        except NotLetIn:
            return await self._sign_in_page(request, replace(form, problem=_WRONG, status=422), return_to)
        except (TooOften, Busy) as not_now:
            return _later(await self._sign_in_page(request, _not_now(form, not_now), return_to), not_now)
        return await welcome(self._deps, entered, return_to)

    async def sign_out(self, request: web.Request) -> web.Response:
        """The session of this browser ends; whoever has none is out already."""
        response = web.Response(status=303, headers={"Location": "/sign-in"})
        visitor = visitor_of(request)
        if visitor is not None:
            await csrf.check(request, visitor)
            async with changing(self._deps.pool, visitor.caller) as write:
                await people.end_session(write, visitor.session_id)
        clear_cookie(response, self._deps.cookies, SESSION)
        return response

    async def show_link(self, request: web.Request) -> web.Response:
        """What a link is for. It is used up by the form on the page, never by looking at it."""
        return await self._link_page(request, Form())

    async def use_link(self, request: web.Request) -> web.Response:
        """The form of a link was sent: with a new password, or, where it only signs in, with nothing."""
        await csrf.check_at_the_door(request, self._deps.cookies)
        given = await read_form(request)
        secret, password = request.match_info["secret"], given.get("password", "")
        form = Form({"password": "", "repeated": ""})
        try:
            if password != given.get("repeated", password):
                return await self._link_page(request, _at(form, "repeated", _DIFFERENT))
            entered = await self._door.by_link(request, secret, password)
        except BrokenRule as broken:
            return await self._link_page(request, _at(form, broken.field, broken.message))
        except LinkClosed:
            return _link_closed(request)
        except Busy as busy:
            return _later(await self._link_page(request, _not_now(form, busy)), busy)
        return await welcome(self._deps, entered, HOME)

    async def show_password(self, request: web.Request) -> web.Response:
        """The page on which a person changes their password."""
        return await self._password_page(request, Form())

    async def change_password(self, request: web.Request) -> web.Response:
        """A new password was sent. It ends all sessions of the person, and another begins here."""
        visitor = signed_in(request)
        await csrf.check(request, visitor)
        given = await read_form(request)
        form, password = Form({"current": "", "password": "", "repeated": ""}), given.get("password", "")
        if password != given.get("repeated"):
            return await self._password_page(request, _at(form, "repeated", _DIFFERENT))
        before = await self._password_of(visitor.caller.user_id, visitor.session_id)
        async with transaction(self._deps.pool, readonly=True) as connection:
            user = await users.one(connection, visitor.caller.user_id)
        assert user is not None  # who is gone has no session
        try:
            entered = await self._door.change_password(
                request,
                user,
                before=before,
                current=given.get("current", ""),
                password=password,
                session_id=visitor.session_id,
            )
        except NotLetIn:
            return await self._password_page(request, _at(form, "current", "is not your password"))
        except BrokenRule as broken:
            return await self._password_page(request, _at(form, broken.field, broken.message))
        except (TooOften, Busy) as not_now:
            return _later(await self._password_page(request, _not_now(form, not_now)), not_now)
        return await welcome(self._deps, entered, "/my/access?said=password-changed")

    async def _sign_in_page(self, request: web.Request, form: Form, return_to: str) -> web.Response:
        async with transaction(self._deps.pool, readonly=True) as connection:
            ways = await ways_in(connection, return_to)
        return self._at_the_door(
            request, "sign_in/sign_in.html", form=form, return_to=return_to, ways=ways, status=form.status
        )

    async def _link_page(self, request: web.Request, form: Form) -> web.Response:
        try:
            link, user = await self._door.whose(request.match_info["secret"])
        except LinkClosed:
            return _link_closed(request)
        return self._at_the_door(
            request, "sign_in/link.html", form=form, link=link, user=user, here=request.path, status=form.status
        )

    async def _password_page(self, request: web.Request, form: Form) -> web.Response:
        visitor = signed_in(request)
        before = await self._password_of(visitor.caller.user_id, visitor.session_id)
        return render(
            request,
            "sign_in/password.html",
            form=form,
            token=visitor.csrf,
            has_password=before is not None,
            status=form.status,
        )

    async def _password_of(self, user_id: str, session_id: str) -> str | None:
        """The hash of the password that a person must know to set another; None: they have none. Raises Problem where
        they have none and came by an identity provider, which alone vouches for them.
        """
        async with transaction(self._deps.pool, readonly=True) as connection:
            kept = await passwords.of_user(connection, user_id)
            session = await browser_sessions.one(connection, session_id)
        if kept is None and (session is None or session.method == "oidc"):
            raise Problem(403, "You sign in with your identity provider, and have no password here.")
        return None if kept is None else kept.hash

    def _at_the_door(self, request: web.Request, template: str, *, status: int, **values: Any) -> web.Response:
        """A page with a form for a browser that nobody has signed in with, or not yet."""
        rules = self._deps.cookies
        if not rules.kept:
            raise Problem(
                503, "Nobody can sign in over plain http: an operator sets ARCHWAY_ISSUER_URL to an https URL."
            )
        kept = read_cookie(request, rules, DOOR)
        token = kept if may_be_secret(kept) else new_secret()
        page = render(request, template, status=status, token=token, **values)
        page.headers["Content-Security-Policy"] = DOOR_POLICY
        set_cookie(page, rules, DOOR, token)
        return page


def _link_closed(request: web.Request) -> web.Response:
    return render(request, "sign_in/link_closed.html", status=410)


def _at(form: Form, field: str, message: str) -> Form:
    return replace(form, errors={field: message}, status=422)


def _not_now(form: Form, why: TooOften | Busy) -> Form:
    if isinstance(why, Busy):
        return replace(form, problem=_BUSY, status=503)
    return replace(form, problem=f"Too many attempts: try again in {_told(why.wait_s)}.", status=429)


def _told(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return f"{seconds} seconds" if seconds < 60 else f"{minutes} minute{'s' if minutes > 1 else ''}"


def _later(page: web.Response, why: TooOften | Busy) -> web.Response:
    page.headers["Retry-After"] = str(why.wait_s if isinstance(why, TooOften) else 2)
    return page
