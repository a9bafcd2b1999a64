"""What of a call is known only when there is one: the stages that are not run dry, and what each then looks at.

Read by `explainer.py`. A stage of the pipeline that stands in neither table is run dry, and what it says is final.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

KNOWN_LATER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "admit": "Whether the request has one meaning, names a host of ours, and comes while the proxy keeps up.",
        "forward": "Whether a connection, a session and the server's era are at hand.",
        "receive": "Whether the server can be reached, takes the credential, and answers in time.",
        "show_uris": "Whether URIs in the result need the name of their server.",
        "relay": "What the result is.",
        "search_tools": "Archway itself answers, of the tools that this gateway shows; no server is asked.",
    }
)
"""By the stage's name: what it looks at, for somebody who asks what would become of a call."""
FOUND_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "apply_limits": "Whether there is a place at the server among all calls that run then.",
    }
)
"""The same of stages that are run dry all the same, for what else they look at."""
