"""Slugs of entries and gateways: names that stand in paths, headers, metrics and the names of tools."""

from control.registry.broken_rule import BrokenRule
from core.identifiers import SLUG, is_id


def check_slug(slug: str, field: str = "slug") -> str:
    """The slug, or BrokenRule. One in the form of an identifier could pass for another row's identifier."""
    if SLUG.fullmatch(slug) is None:
        raise BrokenRule(field, "must be 1 to 63 of a-z, 0-9 and '-', with a letter or digit at both ends")
    if is_id(slug):
        raise BrokenRule(field, "has the form of an identifier; choose words")
    return slug
