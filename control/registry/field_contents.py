"""What an installation's answers fill: headers of each request, variables and files of a server that we run.

Called where an installation is resolved, and where its server is run. Arguments are filled by `arguments.py`, places
of the URL by `url_template.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from control.registry.fields import Field, as_text
from control.registry.targets import Target


class Content(NamedTuple):
    """An answer as text, with the header, variable or file that it fills."""

    target: Target
    text: str
    is_secret: bool


def field_headers(
    fields: Sequence[Field], plain: Mapping[str, Any], secret: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The headers that an installation's answers fill, in the order of the fields. Unanswered ones give none."""
    return [
        (one.target.name, one.text) for one in field_contents(fields, plain, secret) if one.target.kind == "header"
    ]


def field_contents(fields: Sequence[Field], plain: Mapping[str, Any], secret: Mapping[str, str]) -> Iterator[Content]:
    """Everything that an installation's answers fill, in the order of the fields. Unanswered ones fill nothing."""
    for one in fields:
        is_secret = one.type == "secret"
        answer = secret.get(one.name) if is_secret else plain.get(one.name)
        if one.target is not None and answer is not None:
            yield Content(one.target, as_text(answer), is_secret)
