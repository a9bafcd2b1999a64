"""The reference of a container image: `registry.example.com/team/server:1.2@sha256:...`, read and judged.

Called when an entry is saved, and for the warnings about it. Source: the OCI distribution specification (names of
repositories, tags) and the reference grammar that container runtimes share. What a reference leaves out (registry,
tag) is not filled in: the runtime that pulls it does that in its own way.
"""

import re
from typing import Final, NamedTuple

from control.registry.broken_rule import BrokenRule
from core.egress.addresses import ANYWHERE, UrlRefused, check_url

MAX_IMAGE: Final = 512
"""Characters of a whole reference."""
_MAX_NAME: Final = 255
"""Characters of registry and path together, as registries take them."""
_HOST: Final = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
    r"(?::[0-9]{1,5})?|\[[0-9a-fA-F:]+\](?::[0-9]{1,5})?"
)
_SEGMENT: Final = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


class Image(NamedTuple):
    """The parts of an image's reference, each '' where it names none."""

    registry: str
    """Host, perhaps with a port."""
    path: str
    tag: str
    digest: str


def image_of(reference: str) -> Image:
    """The parts; ValueError with what is wrong, behind the field's name."""
    if not 1 <= len(reference) <= MAX_IMAGE:
        raise ValueError(f"must have 1 to {MAX_IMAGE} characters")
    if "://" in reference:
        raise ValueError("must be an image, without https:// before it: registry.example.com/team/server:1.2")
    rest, at, digest = reference.partition("@")
    if at and _DIGEST.fullmatch(digest) is None:
        raise ValueError("must have behind '@' a digest: sha256: and 64 of 0-9 and a-f")
    registry, path = _parted(rest)
    path, colon, tag = path.partition(":")
    if colon and _TAG.fullmatch(tag) is None:
        raise ValueError("has no tag behind ':': 1 to 128 letters, digits, '_', '.' and '-', such as 1.2")
    if registry and _HOST.fullmatch(registry) is None:
        raise ValueError("must begin with the name of a registry, such as registry.example.com or localhost:5000")
    if len(registry) + len(path) > _MAX_NAME or not all(_SEGMENT.fullmatch(one) for one in path.split("/")):
        raise ValueError(
            "must be REGISTRY/PATH:TAG or REGISTRY/PATH@DIGEST; each part of the path is of a-z, 0-9 and '.', '_', "
            "'-' between them, such as registry.example.com/team/server:1.2"
        )
    return Image(registry, path, tag, digest)


def check_image(reference: str, where: str = "run.image") -> str:
    """The reference, or BrokenRule."""
    try:
        registry = image_of(reference).registry
    except ValueError as wrong:
        raise BrokenRule(where, str(wrong)) from None
    if registry and (why := _why_never(registry)):
        raise BrokenRule(where, f"must come from another host: {why}")
    return reference


def check_registry(host: str, where: str) -> str:
    """The host of a registry in lower case, perhaps with a port; BrokenRule for what is none, such as a URL."""
    if len(host) > _MAX_NAME or _HOST.fullmatch(host) is None:
        raise BrokenRule(where, "must be the host of a registry, such as registry.example.com or localhost:5000")
    if why := _why_never(host):
        raise BrokenRule(where, f"must be another host: {why}")
    return host.lower()


def _why_never(host: str) -> str:
    """Why nothing is ever fetched from this host or sent to it, however its address is spelled; '' for another. What
    a name stands for is not asked: the node that pulls the image connects, and not we.
    """
    try:
        check_url(f"https://{host}/", ANYWHERE, purpose="registry")
    except UrlRefused as refused:
        return str(refused).removeprefix("registry: ")
    return ""


def _parted(name: str) -> tuple[str, str]:
    """The registry and the rest: the first part is a registry where it has a dot or a port, or is `localhost`."""
    first, slash, rest = name.partition("/")
    is_host = slash and ("." in first or ":" in first or first == "localhost" or first != first.lower())
    return (first, rest) if is_host else ("", name)
