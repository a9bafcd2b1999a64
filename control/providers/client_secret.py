"""How a client with a secret proves itself to a token endpoint with HTTP Basic (RFC 6749 section 2.3.1).

Called for identity providers and for authorization servers of upstreams. A space is sent as `%20`, never as `+`: who
decodes a form takes both, and some servers decode as in a path. Leaves out the other ways.
"""

import base64
from urllib.parse import quote


def basic(client_id: str, secret: str) -> str:
    """The header of a client with a secret; both parts are encoded as in a form first (RFC 6749 section 2.3.1)."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
