"""Signed documents from the rows of one transaction: what Redis keeps, and what a resolve call answers with.

Called by the publisher and by `control/internal/`, so that a gateway reads the same on either way.
"""

from dataclasses import dataclass

from control.publish.compile import compile_gateway, compile_index
from control.publish.epochs import IndexDocument
from control.registry.counted import counted
from control.registry.server_state import Place
from control.store.pool import Connection
from control.store.publication import gateway_contents, index_rows
from core.signing import Signer
from core.snapshot import MAX_BYTES, sign_gateway, sign_index


class DocumentTooLarge(Exception):
    """A snapshot that every proxy would refuse; the sentence names the gateway and the cure."""


@dataclass(frozen=True, slots=True)
class GatewayDocument:
    """One gateway's signed snapshot, with its identifier and revision."""

    id: str
    revision: int
    document: bytes


async def gateway_document(
    connection: Connection, gateway_id: str, signer: Signer, place: Place | None = None
) -> GatewayDocument | None:
    """The gateway as it stands in this transaction; None when it does not exist. `place`: where servers run here,
    None for nowhere. Raises DocumentTooLarge.
    """
    contents = await gateway_contents(connection, gateway_id)
    if contents is None:
        return None
    gateway = compile_gateway(contents, place)
    document = sign_gateway(gateway, signer)
    if len(document) > MAX_BYTES:
        raise DocumentTooLarge(
            f"gateway {gateway.slug}: with {counted(len(gateway.tools), 'tool')} it has {len(document)} bytes, "
            f"more than {MAX_BYTES}; spread its tools over several gateways"
        )
    return GatewayDocument(gateway.id, gateway.revision, document)


async def index_document(connection: Connection, epoch: str, signer: Signer) -> IndexDocument:
    """The index of all gateways as they stand in this transaction, for one epoch."""
    revision, gateways = await index_rows(connection)
    return IndexDocument(revision, sign_index(compile_index(revision, epoch, gateways), signer))
