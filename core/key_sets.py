"""Key sets: the public keys that an issuer signs its tokens with, in one immutable, signed document for each issuer.

Control makes them: of what identity providers publish (`control/identity/`), and of the keys of its own authorization
server. Proxies ask for them (`KeySetQuestion`, `/internal/key-set`), hold them in two ages, and check signatures
with them by themselves (`core/jwt.py`). Leaves out how keys are fetched, and what a token must say beside its
signature. `FORMAT` rises when a reader of the version before could misread a document.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Final, Literal

import msgspec

from core.jwk import LONGEST_KID, MOST_KEYS, Algorithm
from core.signing import SignatureBroken, Signer, Verifier

FORMAT: Final = 1
MAX_BYTES: Final = 256 << 10
"""A document above this is refused: a hundred keys of the longest kind are a third of it."""
MAX_ISSUER: Final = 512
SOFT_S: Final = 300.0
"""A proxy asks again for a key set that it has had for so long; until then it hears of news by change events."""
HARD_S: Final = 86_400.0
"""Keys that an issuer no longer confirms are good for so long after it last did: its outage signs nobody out."""
COOL_DOWN_S: Final = 60.0
"""For so long after keys were fetched, a key that is not among them makes nobody fetch again."""

_CURVES: Final[Mapping[str, str]] = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


class PublicKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """One public key as a JSON Web Key (RFC 7517), with the members that a public key has and no others."""

    kty: Literal["RSA", "EC", "OKP"]
    kid: str = ""
    """Its name within its set; at most one key of a set has none."""
    alg: str = ""
    """The one algorithm that it is for; '' for each that fits its type."""
    n: str = ""
    e: str = ""
    crv: str = ""
    x: str = ""
    y: str = ""

    def fits(self, algorithm: str) -> bool:
        """Whether a signature by this algorithm may be one of this key: its type, its curve and what it is for."""
        if self.alg and self.alg != algorithm:
            return False
        if self.kty == "RSA":
            return algorithm[:2] in {"RS", "PS"}
        if self.kty == "EC":
            return _CURVES.get(algorithm) == self.crv
        return algorithm == "EdDSA"

    @property
    def jwk(self) -> dict[str, str]:
        """The members that it has, as a JSON Web Key is written."""
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name))}


class KeySet(msgspec.Struct, frozen=True, omit_defaults=True, dict=True):
    """All that is needed to check the signature of a token of one issuer."""

    format: int
    issuer: str
    """Exactly as tokens name it (`iss`); compared byte by byte."""
    kind: Literal["own", "provider"]
    """Our own authorization server, whose tokens are `at+jwt`, or an identity provider, whose tokens need not be."""
    keys: list[PublicKey]
    algorithms: list[Algorithm]
    """What tokens may be signed by. A token's own word for it must be among these."""
    revision: int
    """Rises with each change of the set, not when it is only confirmed."""
    fetched_at: float
    """Unix seconds: when the issuer last said that these are its keys."""
    good_until: float
    """Unix seconds: from then on nothing is proven by these keys."""
    provider_id: str = ""
    """The identity provider's identifier; '' for our own authorization server."""
    audiences: list[str] = []
    """What tokens for gateways may be for, as the provider's settings allow; each gateway names one of them."""

    @cached_property
    def by_kid(self) -> dict[str, PublicKey]:
        """The keys by their names."""
        return {key.kid: key for key in self.keys}

    def key_for(self, kid: str, algorithm: str) -> PublicKey | None:
        """The key that a token's header names. One that names none is for the only key that fits, if there is one."""
        if algorithm not in self.algorithms:
            return None
        if kid:
            found = self.by_kid.get(kid) if len(kid) <= LONGEST_KID else None
            return found if found is not None and found.fits(algorithm) else None
        fitting = [key for key in self.keys if key.fits(algorithm)]
        return fitting[0] if len(fitting) == 1 else None


class KeySetQuestion(msgspec.Struct, frozen=True, omit_defaults=True):
    """What are this issuer's keys? An issuer that control does not know is answered with nothing, and never asked."""

    issuer: Annotated[str, msgspec.Meta(max_length=MAX_ISSUER)]
    kid: Annotated[str, msgspec.Meta(max_length=LONGEST_KID)] = ""
    """A key that a token names and the asker's set lacks: control asks the issuer again, at most once a minute."""


class KeySetAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The signed key set; without a document there is no such issuer, or none of its keys could be had yet."""

    document: bytes = b""


class KeySetBroken(ValueError):
    """A document that must not be used: too large, not signed, malformed, of a later format or another issuer."""


_decoder = msgspec.msgpack.Decoder(KeySet)


def sign_key_set(key_set: KeySet, signer: Signer) -> bytes:
    """The document that is sent and kept."""
    return signer.sign(msgspec.msgpack.encode(key_set), "key set", key_set.issuer)


def open_key_set(document: bytes, issuer: str, verifier: Verifier) -> KeySet:
    """The key set in a document; raises KeySetBroken and then nothing of it may be used."""
    if len(document) > MAX_BYTES:
        raise KeySetBroken(f"key set of {issuer}: larger than {MAX_BYTES} bytes")
    try:
        key_set = _decoder.decode(verifier.verify(document, "key set", issuer))
    except (SignatureBroken, msgspec.MsgspecError) as broken:
        raise KeySetBroken(f"key set of {issuer}: {broken}") from broken
    if key_set.format > FORMAT or key_set.issuer != issuer:
        raise KeySetBroken(f"key set of {issuer}: format {key_set.format}, issuer {key_set.issuer}")
    if len(key_set.keys) > MOST_KEYS or len(key_set.by_kid) != len(key_set.keys):
        raise KeySetBroken(f"key set of {issuer}: too many keys, or two of one name")
    return key_set
