"""Identity assertions that clients bring (ID-JAG): whether one holds, told to the client in one wording.

Called by the grant (`grants/assertion.py`), and where a client is met for the first time (`named_client.py`). Why an
assertion is refused stands in the trace of the sign-in, with what helps: a client must not learn from our answers
who is known here.
"""

import time
from types import MappingProxyType
from typing import Final

from control.identity.id_jag import TYPE, Assertion, AssertionRefused, assertion_of
from control.identity.unchecked import key_named
from control.oauth.errors import OAuthRefused
from control.oauth.server import AuthorizationServer
from core.clocks import CURE
from core.jwt import TokenRefused, VerifiedClaims, Why, named_issuer, verify

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PARAMETER: Final = "assertion"
SENTENCE: Final = "The assertion gets nobody in here: it does not hold, was used before, or is for nobody who may."
"""All that a client hears, whatever is wrong with an assertion."""
_CURES: Final[MappingProxyType[Why, str]] = MappingProxyType(
    {
        "form": "Have the client send the identity assertion as its identity provider gave it.",
        "type": f"Have the client send an identity assertion (its header says `typ` {TYPE}): no id_token, and no "
        "access token.",
        "algorithm": "Add the algorithm to the identity provider's `algorithms`, if it is meant to sign with that.",
        "unknown_key": "Look whether the identity provider's keys can be had: archway identity-providers test",
        "issuer": "Register the identity provider by the `iss` of its assertions, to the letter, and switch it on.",
        "expired": f"Have the client bring each assertion at once, and get another for the next token. Else: {CURE}",
        "early": CURE,
    }
)
_MADE_OTHERWISE: Final = "Have the identity provider make assertions as the profile says (ID-JAG)."


async def held(server: AuthorizationServer, token: str, client_id: str) -> Assertion:
    """What an assertion says, brought by this client; raises OAuthRefused. Whether it was used is not asked here."""
    try:
        return assertion_of(await _verified(server, token), client_id)
    except TokenRefused as refused:
        cure = _CURES.get(refused.why, _MADE_OTHERWISE)
        if refused.why == "audience":
            cure = f"Have the client ask the identity provider for the audience {server.issuer}, which is `aud` then."
        raise no_good(f"{refused} ({refused.why})", cure) from None
    except AssertionRefused as refused:
        raise no_good(refused.reason, refused.cure, asked=refused.asked) from None


def no_good(reason: str, cure: str, *, asked: str = "") -> OAuthRefused:
    """The one refusal, with what only the trace says."""
    return OAuthRefused("invalid_grant", SENTENCE, reason=reason, cure=cure, asked=asked)


async def _verified(server: AuthorizationServer, token: str) -> VerifiedClaims:
    """The claims of an assertion that a provider in use signed for us; raises TokenRefused."""
    issuer = named_issuer(token)
    keys = await server.key_sets.key_set(issuer, key_named(token))
    if keys is None:
        raise TokenRefused("issuer", "The token is of nobody who is an identity provider here.")
    return verify(token, keys, server.issuer, time.time(), typ=TYPE)
