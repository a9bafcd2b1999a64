"""Rows of a table as values of a type, and the columns that a type names.

Called by the files of the aggregates in this folder, so that each column is named once: as a field of its type in
`control/registry/`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")


def made(kind: type[T], row: Mapping[str, Any], **more: Any) -> T:
    """A value of `kind` from the columns of the same names; raises ValidationError for a row that is none.

    `more` goes over the row: what is made of several columns.
    """
    return msgspec.convert({**dict(row), **more}, kind)


def columns_of(kind: "type[DataclassInstance]", *, apart: Collection[str] = ()) -> tuple[str, ...]:
    """The columns that a row of `kind` has, but for the fields `apart`, which are stored in another way."""
    return tuple(one.name for one in fields(kind) if one.name not in apart)


def values_of(thing: Any, columns: Sequence[str]) -> list[Any]:
    """What the columns of these names are given: structures as plain JSON, everything else as it is."""
    return [msgspec.to_builtins(getattr(thing, name), builtin_types=(bytes, datetime)) for name in columns]
