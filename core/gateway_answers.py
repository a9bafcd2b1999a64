"""What a proxy asks control about gateways, and the answers: whole documents, which control has signed.

Called by the proxy where Redis has not what it looks for, and by the doctor. Leaves out what is in the documents
(`core/snapshot.py`), and questions about callers and installations (`core/resolve.py`).
"""

import msgspec


class GatewayQuestion(msgspec.Struct, frozen=True):
    """What is the snapshot of the gateway with this slug or identifier?"""

    name: str


class GatewayAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A gateway's signed snapshot; without a document there is no such gateway."""

    id: str = ""
    document: bytes = b""


class IndexAnswer(msgspec.Struct, frozen=True):
    """The signed index, for the epoch that control sees on the change stream ('' while Redis is away)."""

    document: bytes
