"""The challenge that ties an authorization code to whoever asked for it (PKCE, RFC 7636), always S256. Pure.

Called where an identity provider is asked to sign a person in (`control/identity/round_trip.py`), and where a client
redeems a code of ours (`control/oauth/grants/code.py`). Leaves out what a verifier must look like.
"""

import base64
from hashlib import sha256


def s256_challenge(verifier: str) -> str:
    """The challenge of a verifier: its SHA-256 in base64url, without padding (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
