"""Labels of entries and gateways: their form in bodies, and the filter of lists."""

from typing import Annotated

from pydantic import Field as Bound

from control.http.models import MARKS, Worded
from control.http.problems import invalid

LabelName = Annotated[
    str,
    Worded(
        r"[a-z0-9][a-z0-9._/-]*",
        "must be 1 to 63 of a-z, 0-9, '.', '_', '/' and '-', beginning with a letter or digit",
        shortest=1,
        longest=63,
    ),
]
LabelValue = Annotated[str, Worded(rf"[^{MARKS}]*", "must be one line without control characters", longest=128)]
Labels = Annotated[dict[LabelName, LabelValue], Bound(max_length=32)]


def label_filter(given: str) -> dict[str, str] | None:
    """`name=value` of a list's query; None where it is not given."""
    if not given:
        return None
    name, equals, value = given.partition("=")
    if not equals or not name:
        raise invalid("label", "must be name=value")
    return {name: value}
