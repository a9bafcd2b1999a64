"""Browsers that are known: a cookie that says "its person has signed in here before", good for that person alone.

After each sign-in the browser gets one. An attempt that brings it, for the same person, is counted by itself and not
with those of strangers, so that nobody can lock a person out of where they usually sign in by guessing at their
password elsewhere (https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies). It opens
nothing: the password is asked for all the same. Called by `door.py` and `entering.py`.
"""

from aiohttp import web

from control.http.cookies import DEVICE, CookieRules, may_be_secret, read_cookie, set_cookie
from control.sign_in.session import new_secret
from control.store import known_devices
from control.store.pool import Connection
from core.tokens import digest

NOBODY = "00000000-0000-0000-0000-000000000000"


async def known_device(
    connection: Connection, request: web.Request, rules: CookieRules, user_id: str | None
) -> str | None:
    """The digest of the browser's secret, where this person has signed in with it. Nobody takes as long."""
    secret = read_cookie(request, rules, DEVICE)
    if not may_be_secret(secret):
        return None
    found = digest(secret)
    return found if await known_devices.is_known(connection, found, user_id or NOBODY) else None


async def remember(connection: Connection, user_id: str) -> str:
    """A new secret for the browser in which the person has just signed in."""
    secret = new_secret()
    await known_devices.remember(connection, digest(secret), user_id)
    return secret


def keep(response: web.StreamResponse, rules: CookieRules, secret: str) -> None:
    """Have the browser keep it."""
    set_cookie(response, rules, DEVICE, secret, known_devices.AGE)
