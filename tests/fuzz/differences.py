"""In what the lanes may differ, each with its reason, and the judgement over two outcomes.

This is the whole list. Whatever else differs is a defect of one lane.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tests.fuzz.lanes import Cuts, Lane, Outcome, Said, beginnings, every_byte, every_end, in_two


@dataclass(frozen=True, slots=True)
class Allowed:
    """One difference. `without` takes it out of both outcomes, the reference's first."""

    name: str
    reason: str
    without: Callable[[Outcome, Outcome], tuple[Outcome, Outcome]]


def _same_version(reference: Outcome, other: Outcome) -> tuple[Outcome, Outcome]:
    def told(outcome: Outcome) -> Outcome:
        return replace(outcome, answers=tuple(replace(one, version="") for one in outcome.answers))

    return told(reference), told(other)


def _up_to_the_hand_over(reference: Outcome, other: Outcome) -> tuple[Outcome, Outcome]:
    """Leave out what the reference did behind the answer with which the other lane closed, such as hold a stream."""
    answers = other.answers
    last = len(answers) - 1
    if not answers or not answers[-1].closes or len(reference.answers) <= last or reference.answers[last].closes:
        return reference, other
    shorter = (*reference.answers[:last], replace(reference.answers[last], closes=True))
    ended = reference.ended or len(reference.answers) > len(answers)
    return replace(reference, answers=shorter, calls=reference.calls[: len(other.calls)], ended=ended), other


ALLOWED: Final = (
    Allowed(
        "the status line's version",
        "aiohttp answers HTTP/1.0, and what it could not parse, as HTTP/1.0; RFC 9112 section 2.3 lets a server tell "
        "the version that it speaks",
        _same_version,
    ),
    Allowed(
        "a handed-over connection closes",
        "the fast lane serves the common requests and hands all others over for good; the answer says so, "
        "and clients open another connection",
        _up_to_the_hand_over,
    ),
)
"""The third difference is aiohttp's own: it parses all of one read before it answers any of it, and refuses the whole
for what is no HTTP at its end, good requests too. What it does so depends on the cuts; and what comes while the fast
lane is answering reaches aiohttp, if at all, in one read. So the other lane must do what the reference does with the
bytes cut in the same way, or request by request, or byte by byte, or in two at the beginning of some request."""


def equal(reference: Outcome, other: Outcome) -> bool:
    """Whether they differ in nothing but what is allowed."""
    for allowed in ALLOWED:
        reference, other = allowed.without(reference, other)
    return reference == other


async def judged(lanes: Sequence[Lane], raw: bytes, cuts: Cuts) -> str:
    """ "" where all lanes did the same as the first with `raw`, cut at these places; else what each did.

    A difference must show three times: a machine that was busy elsewhere makes a deadline strike in one lane only.
    """
    said = ""
    for _ in range(3):
        expected, *found = await asyncio.gather(*(lane.outcome(raw, cuts) for lane in lanes))
        differ = [(lane, one) for lane, one in zip(lanes[1:], found, strict=True) if not equal(expected, one)]
        if not differ:
            return ""
        others = [every_end, every_byte, *(in_two(number) for number in range(len(beginnings(raw))))]
        outcomes = [expected, *[await lanes[0].outcome(raw, places) for places in others]]
        differ = [(lane, one) for lane, one in differ if not any(equal(other, one) for other in outcomes)]
        if not differ:
            return ""
        lines = [f"{lanes[0].name}: {_told(one)}" for one in dict.fromkeys(outcomes)]
        lines += [f"{lane.name}: {_told(one)}" for lane, one in differ]
        said = "\n".join([repr(raw), f"cut at {cuts}", *lines])
    return said


def _told(outcome: Outcome) -> str:
    ends = "closed" if outcome.ended else "open"
    return f"{_lines(outcome.answers)}\n    {ends}, rest {outcome.rest[:300]!r}, calls {outcome.calls}"


def _lines(answers: Sequence[Said]) -> str:
    return "".join(
        f"\n    {one.version} {one.status}{' close' if one.closes else ''} {dict(one.headers)} {sorted(one.named)} "
        f"{one.body[:300]!r}\n        record {one.record}"
        for one in answers
    )
