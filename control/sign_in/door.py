"""What is asked of whoever wants to come in: a password that is theirs, or a link that is open.

Called by `routes.py`, which reads the form and shows what came of it. A wrong password and an unknown address are
refused in the same words, after the same time; so is a person who is disabled.
"""

import hmac
import logging
from typing import Final

from aiohttp import web

from control.changes import people
from control.changes.refusals import NotThere
from control.changes.write import changing
from control.http.client_address import client_address
from control.public.deps import PublicDeps
from control.registry.password import Claimed
from control.registry.password_rules import check_password
from control.registry.sign_in_attempt import NewAttempt
from control.registry.sign_in_link import SignInLink
from control.registry.user import User
from control.sign_in import links
from control.sign_in.devices import known_device
from control.sign_in.entering import Entered, enter, person
from control.sign_in.passwords import Passwords
from control.sign_in.throttling import SignInThrottle
from control.store import passwords, users
from control.store.pool import transaction
from core.tokens import digest

log = logging.getLogger(__name__)
_LONGEST_ADDRESS: Final = 254
_LINK: Final = "Make them a link by which they set one: `archway users reset-link EMAIL`"


class NotLetIn(Exception):
    """The password is not that of the address, or nobody has the address: nobody is told which."""


class TooOften(Exception):
    """Too many attempts; the next is worth it in some seconds."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"wait {wait_s} s")
        self.wait_s = wait_s


class LinkClosed(Exception):
    """The link was used, is over, was taken back, or is that of somebody who is disabled."""


class Door:
    """Lets people in. One for each replica; it holds the threads that hash."""

    def __init__(self, deps: PublicDeps, hashing: Passwords | None = None) -> None:
        self._deps = deps
        self._passwords = hashing or Passwords()
        self._throttle = SignInThrottle(deps.redis)

    async def by_password(self, request: web.Request, email: str, password: str) -> Entered:
        """Let in whoever has this address, if the password is theirs. Raises NotLetIn, TooOften, Busy."""
        address = client_address(request)
        claimed, device = await self._claimed(request, email)
        # Counted is the person, where there is one: an address may be written in ways that are one to the database
        # alone (`İ` for `i`), and each would be counted by itself.
        name = email if claimed is None else claimed.user_id
        admitted = await self._throttle.admit(name=name, address=address, device=device)
        if admitted.wait_s:
            log.debug("too many attempts to sign in", extra={"address": address})  # there may be any number
            raise TooOften(admitted.wait_s)
        kept = None if claimed is None else claimed.hash
        compared = await self._passwords.compare(kept, password, known=admitted.known)
        if not compared.right or claimed is None or kept is None or claimed.disabled:
            await self._refuse(claimed, address)
            raise NotLetIn
        newer = await self._passwords.hashed(password) if compared.outdated else None
        return await self._enter(request, claimed.user_id, kept, newer)

    async def whose(self, secret: str) -> tuple[SignInLink, User]:
        """The link with this secret and its person. Raises LinkClosed."""
        async with transaction(self._deps.pool, readonly=True) as connection:
            link = await links.opened(connection, secret)
            user = None if link is None else await users.one(connection, link.user_id)
        if link is None or user is None:
            raise LinkClosed
        return link, user

    async def by_link(self, request: web.Request, secret: str, password: str) -> Entered:
        """Let in the person of this link, once; by an invitation or a reset with a password of their choice.

        Raises LinkClosed, BrokenRule for a password that will not do, Busy.
        """
        link, user = await self.whose(secret)
        hashed = None
        if link.purpose != "sign_in":
            check_password(password, user.name, user.email)
            hashed = await self._passwords.hashed(password)
        actor = await person(request, self._deps, user.id)
        if actor is None:
            raise LinkClosed
        try:
            async with changing(self._deps.pool, actor) as write:
                await people.use_link(write, digest(secret))
                if hashed is not None:
                    await people.set_password(write, hashed)
                return await enter(write, request, self._deps, method="link")
        except NotThere:
            raise LinkClosed from None

    async def change_password(
        self, request: web.Request, user: User, *, before: str | None, current: str, password: str, session_id: str
    ) -> Entered:
        """Give a person who is signed in another password; `before` is the hash of the one they have, if any.

        Raises NotLetIn where `current` is not that, BrokenRule, TooOften, Busy.
        """
        check_password(password, user.name, user.email)
        if before is not None:
            counted = f"session:{session_id}"
            admitted = await self._throttle.admit(name=counted, address=counted, device=counted)
            if admitted.wait_s:
                raise TooOften(admitted.wait_s)
            if not (await self._passwords.compare(before, current, known=True)).right:
                raise NotLetIn
        hashed = await self._passwords.hashed(password)
        actor = await person(request, self._deps, user.id)
        if actor is None:
            raise NotLetIn
        async with changing(self._deps.pool, actor) as write:
            await people.set_password(write, hashed)
            return await enter(write, request, self._deps, method="password")

    async def _claimed(self, request: web.Request, email: str) -> tuple[Claimed | None, str | None]:
        async with transaction(self._deps.pool, readonly=True) as connection:
            claimed = await passwords.claimed(connection, email[: _LONGEST_ADDRESS + 1])
            user_id = None if claimed is None else claimed.user_id
            return claimed, await known_device(connection, request, self._deps.cookies, user_id)

    async def _refuse(self, claimed: Claimed | None, address: str) -> None:
        log.info("sign-in refused", extra={"address": address})
        reason, cure = _why_not(claimed)
        user_id = None if claimed is None else claimed.user_id
        await self._deps.sign_ins.note(
            NewAttempt(step="signed_in", user_id=user_id, address=address, reason=reason, cure=cure)
        )

    async def _enter(self, request: web.Request, user_id: str, compared: str, newer: str | None) -> Entered:
        """Unless the password was changed since it was compared, or the person shut out."""
        actor = await person(request, self._deps, user_id)
        if actor is None:
            raise NotLetIn
        async with changing(self._deps.pool, actor) as write:
            kept = await passwords.of_user(write.connection, user_id)
            if kept is None or not hmac.compare_digest(kept.hash, compared):
                raise NotLetIn
            entered = await enter(write, request, self._deps, method="password")
            if newer is not None:
                await people.hash_anew(write, compared, newer)
            return entered


def _why_not(claimed: Claimed | None) -> tuple[str, str]:
    """Why a password let nobody in, and what helps: for the trace alone, since whoever typed it is told neither."""
    if claimed is None:
        return (
            "Nobody here has the address of mail that was typed.",
            "Look how it is written, or invite the person: archway users invite",
        )
    if claimed.disabled:
        return "The person is shut out.", f"Let them in again: archway users enable {claimed.user_id}"
    if claimed.hash is None:
        return "The person has no password yet.", f"{_LINK}. Or they sign in with an identity provider."
    return "The password was wrong.", f"They try again. {_LINK}"
