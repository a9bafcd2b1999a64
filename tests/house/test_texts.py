"""What no committed text may hold. Patterns are put together from halves, so that this file does not hold them."""

from __future__ import annotations

import re

import pytest

from tests.house.tracked import text_of, tracked

UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|Not" r"ImplementedError")
# Where packages come from is the machine's own setting; and nobody else has our machines' folders.
ADDRESSES = re.compile(
    r"py"
    r"pi\.org|python"
    r"hosted\.org|npm"
    r"js\.(?:org|com)|yarn"
    r"pkg\.com|crates"
    r"\.io|"
    r"maven\.(?:org|apache)|repo1?\."
    r"maven|deb\.debian"
    r"\.org|proxy\.golang"
    r"\.org|docker"
    r"\.io"
)
MACHINE_PATHS = re.compile(r"/wo" r"rk/|/ho" r"me/\w|/ro" r"ot/\w|/Us" r"ers/\w|\.\./sha" r"red|/tmp/a" r"w\b")
OUR_ISSUES = re.compile(r"\bissue" r" #?\d", re.IGNORECASE)
SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE" r" KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{36}\b|\bsk-[A-Za-z0-9]{32,}\b"
)
FORBIDDEN = {
    "unfinished work": UNFINISHED,
    "a package registry's address": ADDRESSES,
    "a path of one machine": MACHINE_PATHS,
    "the number of an issue": OUR_ISSUES,
    "something that looks like a secret": SECRETS,
}


@pytest.mark.parametrize("what", list(FORBIDDEN))
def test_no_committed_text_holds(what):
    found = []
    for path in tracked():
        text = text_of(path)
        if text is not None and FORBIDDEN[what].search(text):
            lines = [n for n, line in enumerate(text.splitlines(), 1) if FORBIDDEN[what].search(line)]
            found.append(f"{path}:{lines[:5]}")
    assert not found


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("unfinished work", ("# TO", "DO: later")),
        ("a package registry's address", ("https://registry.npm", "js.org/x")),
        ("a path of one machine", ("see /wo", "rk/main")),
        ("the number of an issue", ("as Issue", " 12 says")),
        ("something that looks like a secret", ("-----BEGIN EC PRIVATE", " KEY-----")),
    ],
)
def test_each_pattern_sees_its_kind(what, text):
    assert FORBIDDEN[what].search("".join(text))


def test_no_lock_file_with_addresses_is_committed():
    assert not {path for path in tracked() if path.endswith(("uv.lock", "pylock.toml"))}


def test_the_npm_lock_keeps_digests_and_no_addresses():
    lock = text_of("tools/package-lock.json") or ""
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') > 100
