"""Domains for providers whose every `*` is one label: `**.name` as that many of them as most names have. Pure."""

from collections.abc import Iterable
from typing import Final

DEPTH: Final = 3
"""Labels before a name that `**.` stands for there; a name with more is refused by the cluster, never a shorter one
allowed that should not be.
"""


def one_label_each(domains: Iterable[str]) -> list[str]:
    """The same names, or fewer: each once, in their order."""
    return list(dict.fromkeys(made for one in domains for made in _said(one)))


def _said(domain: str) -> list[str]:
    if not domain.startswith("**."):
        return [domain]
    return ["*." * depth + domain.removeprefix("**.") for depth in range(1, DEPTH + 1)]
