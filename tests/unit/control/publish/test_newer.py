import pytest

from control.publish.newer import is_newer_gateway, is_newer_index
from core.keys import new_key, parse_key_ring
from core.signing import Signer, Verifier
from core.snapshot import FORMAT, Gateway, Index, Visibility, sign_gateway, sign_index

SIGNER = Signer(parse_key_ring("ours", new_key()))
FOREIGN = Signer(parse_key_ring("foreign", new_key()))
VERIFIER = Verifier("ours", SIGNER.public_keys)


def gateway(revision: int, signer: Signer = SIGNER) -> bytes:
    made = Gateway(FORMAT, "g", "desk", "Desk", revision, Visibility("organisation"), [])
    return sign_gateway(made, signer)


def index(revision: int, epoch: str = "now", signer: Signer = SIGNER) -> bytes:
    return sign_index(Index(FORMAT, epoch, revision, []), signer)


@pytest.mark.parametrize(("revision", "newer"), [(6, True), (5, False), (4, False)])
def test_a_gateway_is_newer_by_the_revision_that_we_signed(revision: int, newer: bool) -> None:
    assert is_newer_gateway(gateway(revision), "g", 5, VERIFIER) is newer


@pytest.mark.parametrize("document", [b"", b"junk", gateway(9, FOREIGN)], ids=["nothing", "junk", "foreign"])
def test_what_we_did_not_sign_is_no_newer_gateway(document: bytes) -> None:
    assert not is_newer_gateway(document, "g", 5, VERIFIER)


def test_another_gateways_document_is_no_newer_one() -> None:
    assert not is_newer_gateway(gateway(9), "another", 5, VERIFIER)


@pytest.mark.parametrize(
    ("document", "newer"),
    [(index(6), True), (index(5), False), (index(9, epoch="before"), False), (index(9, signer=FOREIGN), False)],
    ids=["newer", "the same", "another epoch", "foreign"],
)
def test_an_index_is_newer_in_its_epoch_by_the_revision_that_we_signed(document: bytes, newer: bool) -> None:
    assert is_newer_index(document, "now", 5, VERIFIER) is newer
