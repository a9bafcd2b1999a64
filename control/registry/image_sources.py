"""Where the images of an environment's servers may come from: registries, perhaps with the beginning of a path.

Called when an environment or an entry is saved, and before a server runs. What an image's reference leaves out is
filled in here as container runtimes do (https://github.com/distribution/reference, `ParseNormalizedNamed`): no
registry is Docker Hub, which has two names, and there one part alone is of `library/`. Pure.
"""

from collections.abc import Iterable
from typing import Final

from control.registry.broken_rule import BrokenRule
from control.registry.images import check_registry, image_of

DOCKER: Final = ".".join(("docker", "io"))
"""The registry of an image that names none: Docker Hub. In halves, as no text here may name where packages come from
(`tests/house/test_texts.py`).
"""
_SAME_AS_DOCKER: Final = frozenset({DOCKER, f"index.{DOCKER}"})
MAX_SOURCE: Final = 255


def check_image_source(source: str, where: str) -> str:
    """A registry, `HOST[:PORT]`, perhaps with `/PATH` behind it, in the form that is compared; BrokenRule."""
    try:
        # As images are read: what has neither dot nor port is no registry there, but the first part of a path.
        image = image_of(source if "/" in source else f"{source}/any")
    except ValueError:
        image = None
    if len(source) > MAX_SOURCE or image is None or image.tag or image.digest or not image.registry:
        raise BrokenRule(
            where, f"must be a registry, perhaps with the beginning of a path: registry.example.com/team, {DOCKER}"
        )
    registry = check_registry(image.registry, where)
    registry = DOCKER if registry in _SAME_AS_DOCKER else registry
    return f"{registry}/{image.path}" if "/" in source else registry


def is_from(image: str, sources: Iterable[str]) -> bool:
    """Whether an image comes from one of these; from anywhere where there are none. One that cannot be read comes
    from none of them. A path counts by whole parts: `host/team` has `host/team/server`, not `host/teams/server`.
    """
    allowed = tuple(sources)
    if not allowed:
        return True
    try:
        place = _place_of(image)
    except ValueError:
        return False
    return any(f"{place}/".startswith(f"{one}/") for one in allowed)


def check_from(image: str, sources: Iterable[str], environment: str, where: str = "run.image") -> None:
    """BrokenRule for an image that its environment does not let in. '' is Archway's own, which every one lets in."""
    allowed = tuple(sources)
    if image and not is_from(image, allowed):
        raise BrokenRule(where, not_from(environment, allowed))


def not_from(environment: str, sources: Iterable[str]) -> str:
    """Why an image is not let in, behind the field's name."""
    return f"must come from {' or '.join(sources)}: the environment {environment!r} lets in no other images"


def _place_of(image: str) -> str:
    """Registry and path, all said."""
    parts = image_of(image)
    registry = parts.registry.lower()
    if registry and registry not in _SAME_AS_DOCKER:
        return f"{registry}/{parts.path}"
    return f"{DOCKER}/{parts.path if '/' in parts.path else f'library/{parts.path}'}"
