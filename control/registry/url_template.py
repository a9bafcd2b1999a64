"""The URL of an entry as a template: `https://{region}.example.com/mcp/{workspace}` has two places to fill.

Called when an entry is saved (`check_template`) and where an installation's own URL is made (`server_url.py`). A
placeholder is one whole label of the host, or one whole segment of the path; nothing else of a URL can be filled.
What is right of a filled label stands in the entry, so that an answer chooses among the servers of one owner, and
never an owner. A URL is put together from its parts, each checked and encoded by itself. Pure; leaves out which field
fills which placeholder: `fields.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from control.registry.broken_rule import BrokenRule
from control.registry.shared_suffixes import anybody_may_have
from core.egress.addresses import AddressPolicy, UrlRefused, check_url

UrlPart = Literal["host label", "path segment"]
"""What a placeholder stands for."""

MAX_SEGMENT: Final = 255
"""Characters of an answer that fills a path segment, before they are encoded."""
MAX_LABEL: Final = 63
"""Characters of an answer that fills a label of the host (RFC 1035 section 2.3.4)."""
_PLACEHOLDER: Final = re.compile(r"\{([a-z][a-z0-9_]{0,39})\}")
_SAMPLE: Final = "a"
"""Stands for an answer while the rest of a template is checked. No number, so that it makes no address of a host."""
_AUTHORITY: Final = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?P<port>:[0-9]+)?")
_LABEL: Final = re.compile(rf"[A-Za-z0-9](?:[A-Za-z0-9-]{{0,{MAX_LABEL - 2}}}[A-Za-z0-9])?")
# Printable ASCII, but for what ends a segment, begins another part of the URL, or is read in two ways: `%` (encoded
# already?), `\` (a slash to some) and `;` (`..;` is `..` to some servers).
_SEGMENT: Final = re.compile(r"[ -~]+")
_NOT_IN_SEGMENT: Final = frozenset("/?#@\\%;")


@dataclass(frozen=True, slots=True)
class UrlTemplate:
    """The parts of a URL in which placeholders may stand. An address in brackets is one label."""

    scheme: str
    labels: tuple[str, ...]
    port: str
    """With its colon; '' for the usual one."""
    segments: tuple[str, ...]
    query: str

    @staticmethod
    def of(url: str) -> "UrlTemplate":
        """The parts of a URL that has been checked, or would be with its placeholders filled."""
        parts = urlsplit(url)
        authority = _AUTHORITY.fullmatch(parts.netloc)
        assert authority is not None  # else it was not checked
        host = authority["host"]
        labels = (host,) if host.startswith("[") else tuple(host.split("."))
        return UrlTemplate(parts.scheme, labels, authority["port"] or "", tuple(parts.path.split("/")), parts.query)

    def places(self) -> dict[str, UrlPart]:
        """Each placeholder's name, and what it stands for."""
        of_host: dict[str, UrlPart] = {name: "host label" for name in map(_name_in, self.labels) if name}
        return {**of_host, **{name: "path segment" for name in map(_name_in, self.segments) if name}}

    def put_together(self) -> str:
        """The URL of these parts."""
        netloc = ".".join(self.labels) + self.port
        return urlunsplit((self.scheme, netloc, "/".join(self.segments), self.query, ""))


def placeholders(url: str) -> dict[str, UrlPart]:
    """The placeholders of an entry's URL, and what each stands for; {} for a URL that is whole."""
    return UrlTemplate.of(url).places() if "{" in url else {}


def check_template(url: str, policy: AddressPolicy) -> str:
    """The template in normal form; BrokenRule for a placeholder where none can stand, UrlRefused for all else."""
    names = _PLACEHOLDER.findall(url)
    if set("{}") & set(_PLACEHOLDER.sub(_SAMPLE, url)):
        raise BrokenRule("url", "has a brace that belongs to no placeholder; write {name} in a-z, 0-9 and '_'")
    normal = UrlTemplate.of(check_url(_PLACEHOLDER.sub(_SAMPLE, url), policy, purpose="url"))
    try:
        given = UrlTemplate.of(url)
    except ValueError:  # within the brackets of an address
        raise BrokenRule("url", _misplaced(names, {})) from None
    places = given.places()
    if len(places) != len(names):
        raise BrokenRule("url", _misplaced(names, places))
    labels, segments = _named_again(normal.labels, given.labels), _named_again(normal.segments, given.segments)
    _check_host(labels)
    return replace(normal, labels=labels, segments=segments).put_together()


def fill_template(url: str, answers: Mapping[str, str], policy: AddressPolicy, where: str = "values") -> str:
    """The URL with every placeholder filled; BrokenRule names the answer that cannot stand where it would."""
    template = UrlTemplate.of(url)
    places = template.places()
    for name, part in places.items():
        wrong = "is needed" if name not in answers else why_not(part, answers[name])
        if wrong is not None:
            raise BrokenRule(f"{where}.{name}", wrong)
    labels = tuple(answers[name].lower() if (name := _name_in(label)) else label for label in template.labels)
    segments = tuple(quote(answers[name], safe="") if (name := _name_in(one)) else one for one in template.segments)
    made = replace(template, labels=labels, segments=segments).put_together()
    try:
        return check_url(made, policy, purpose="its URL")
    except UrlRefused as refused:
        raise BrokenRule(f"{where}.{next(iter(places))}", f"makes no address that can be used: {refused}") from None


def why_not(part: UrlPart, answer: str) -> str | None:
    """Why this answer cannot be that part of a URL, without repeating it; None where it can."""
    if part == "host label":
        if _LABEL.fullmatch(answer) is None:
            return f"must be one label of a host name: 1 to {MAX_LABEL} of a-z, 0-9 and '-', not '-' at an end"
        return None
    if not 1 <= len(answer) <= MAX_SEGMENT or _SEGMENT.fullmatch(answer) is None:
        return f"must have 1 to {MAX_SEGMENT} printable ASCII characters: it is a part of the address"
    if answer in {".", ".."} or answer != answer.strip():
        return "must be no '.' or '..', and must not begin or end with a space: it is a part of the address"
    if _NOT_IN_SEGMENT & set(answer):
        return f"must have none of {' '.join(sorted(_NOT_IN_SEGMENT))}: it is one segment of the address's path"
    return None


def _name_in(part: str) -> str:
    found = _PLACEHOLDER.fullmatch(part)
    return found[1] if found else ""


def _named_again(normal: tuple[str, ...], given: tuple[str, ...]) -> tuple[str, ...]:
    """The parts in normal form, with the placeholders in place of the samples that were checked for them."""
    named = {number: part for number, part in enumerate(given) if _name_in(part)}
    return tuple(named.get(number, part) for number, part in enumerate(normal))


def _misplaced(names: list[str], places: Mapping[str, UrlPart]) -> str:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        return f"has the placeholder {{{twice}}} twice; each may stand once"
    name = next(one for one in names if one not in places)
    return (
        f"has the placeholder {{{name}}} where none can stand; it must be a whole segment of the path, "
        "between slashes, or a whole label of the host, between dots"
    )


def _check_host(labels: tuple[str, ...]) -> None:
    filled = [number for number, label in enumerate(labels) if _name_in(label)]
    if not filled:
        return
    if len(filled) > 1:
        raise BrokenRule("url", "has several placeholders in its host; one is allowed")
    suffix = labels[filled[0] + 1 :]
    if anybody_may_have(suffix):
        shown = f"{labels[filled[0]]}.{'.'.join(suffix)}".removesuffix(".")
        raise BrokenRule(
            "url",
            f"lets an installation choose whose server it is: under {shown} anybody may have a name. Right of the "
            "placeholder there must be a domain of the server's owner, such as {region}.example.com",
        )
