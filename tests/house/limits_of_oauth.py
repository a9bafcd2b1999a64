"""Limits of what OAuth clients send, and of what they get, as `docs/operating/limits.md` has them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from control.changes import oauth_grants
from control.identity import id_jag
from control.oauth import parameters
from control.oauth.clients import cimd, documents
from control.registry import oauth_grant, refresh_rotation
from control.store import oauth_requests
from core import jwt

OAUTH: Final = {
    "documents that are kept, by each control": (
        f"{documents.MOST_KEPT:,}, each for {cimd.LEAST_FRESH_S:.0f} seconds to {cimd.MOST_FRESH_S / 3_600:.0f} hours"
    ),
    "documents that are read from one host": (
        f"{documents.A_MINUTE_OF_ONE_HOST} a minute; {documents.MOST_AT_ONCE} at once in all"
    ),
    "one parameter": f"{parameters.LONGEST:,} characters",
    "an identity assertion": f"{jwt.LONGEST:,} characters, `jti` {id_jag.LONGEST_NAME}",
    "seconds from `iat` to `exp` of an identity assertion": f"{id_jag.LONGEST_LIFE_S}",
    "seconds of a code, and of an access token": f"{oauth_grants.CODE_LIFE.seconds}, {jwt.ACCESS_TOKEN_S}",
    "minutes that a consent page waits": f"{oauth_requests.LIFE // timedelta(minutes=1)}",
    "days of a refresh token that nobody uses, and of a grant": (
        f"{refresh_rotation.IDLE.days}, {oauth_grant.LIFE.days}"
    ),
    "seconds in which a replaced refresh token is still answered": f"{refresh_rotation.GRACE.seconds}",
}
