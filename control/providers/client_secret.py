"""How a client with a secret proves itself to a token endpoint with HTTP Basic (RFC 6749 section 2.3.1).

Called for identity providers and for authorization servers of upstreams. Leaves out the other ways.
"""

import base64
from urllib.parse import quote_plus


def basic(client_id: str, secret: str) -> str:
    """The header of a client with a secret; both parts are encoded as in a form first (RFC 6749 section 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
