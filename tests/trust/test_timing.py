"""Row X-4: how long a comparison takes tells nobody how much of a secret they have guessed.

The rule over the sources is the guard: whatever is secret is found by its hash or compared by `hmac.compare_digest`.
The statistics are coarse, as the row says, and are taken again where a busy machine spoilt them.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Callable
from statistics import median

import pytest

from control.http import csrf
from control.http.problems import Problem
from control.providers import browser_round
from control.registry.refresh_token import BroughtToken, RefreshTokens
from core.keys import new_key, parse_key_ring
from core.tokens import digest
from tests.house.tracked import ROOT, python_files

SECRETS = frozenset(
    {
        "token", "secret", "client_secret", "refresh_token", "access_token", "credential", "bearer", "csrf", "nonce",
        "verifier", "challenge", "password", "hash", "assertion", "bearer_digest", "secret_digest",
    }
)  # fmt: skip
"""Names under which the sources have what nobody may guess."""
ONLY_THERE = {"state": "control/identity/", "code": "control/oauth/grants/"}
"""Names that mean other things elsewhere: how something stands, why something was refused."""
NOT_GUESSED = {
    ("control/sign_in/routes.py", "password != given.get('repeated', password)"): "two fields of one form",
    ("control/sign_in/routes.py", "password != given.get('repeated')"): "two fields of one form",
    ("control/console/static.py", "request.match_info['hash'] == file.hash"): "a file's address, which pages show",
    ("control/console/pages/connect.py", "secret == HOLDER"): "what stands where no secret was made",
}
COMPARED = {
    "token": ("control/admin/caller.py", "control/registry/refresh_token.py", "control/http/csrf.py"),
    "secret": ("control/oauth/client_authentication.py", "control/sign_in/door.py"),
    "code": ("control/oauth/grants/code.py", "control/registry/refresh_token.py"),
    "state": ("control/providers/browser_round.py", "control/identity/id_token.py"),
}
"""Where what somebody brought stands beside what is kept. Everything else is looked up by its hash."""
TRIES = 10_000
NEAR = 0.05
ATTEMPTS = 20


def named(node: ast.expr) -> str:
    """The last name of what is compared."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return named(function)
    return ""


def is_secret(node: ast.expr, path: str) -> bool:
    name = named(node)
    return name in SECRETS or path.startswith(ONLY_THERE.get(name, "nowhere"))


def is_told(node: ast.expr) -> bool:
    """What is no secret on the other side: a constant, or nothing."""
    return isinstance(node, ast.Constant) or named(node).isupper()


def by_equality(path: str, source: bytes) -> list[str]:
    """Comparisons by == or != of something secret with something that somebody could have brought."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare) or not all(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops):
            continue
        sides = [node.left, *node.comparators]
        if any(is_secret(one, path) for one in sides) and not any(is_told(one) for one in sides[1:]):
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize(
    "folders", [pytest.param(("core", "control", "proxy", "archway"), id="X-4: two secrets compared by ==")]
)
def test_nothing_secret_is_compared_byte_by_byte(folders: tuple[str, ...]) -> None:
    assert by_equality("control/x.py", b"if kept.token == given: pass") == ["kept.token == given"]
    assert by_equality("control/identity/x.py", b"state != back.state") == ["state != back.state"]
    found = {(path, one) for path in python_files(*folders) for one in by_equality(path, (ROOT / path).read_bytes())}
    assert found <= set(NOT_GUESSED), found - set(NOT_GUESSED)


@pytest.mark.parametrize("kind", [pytest.param(kind, id=f"X-4: {kind}") for kind in COMPARED])
def test_what_somebody_brought_is_compared_in_one_time_with_what_is_kept(kind: str) -> None:
    for path in COMPARED[kind]:
        tree = ast.parse((ROOT / path).read_bytes())
        calls = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
        assert "hmac.compare_digest" in calls, path
    assert digest("arch_x") == digest("arch_x")  # what is looked up is this, of which no part can be guessed


def refused_form(given: str) -> None:
    with pytest.raises(Problem):
        csrf._compare(given, "k" * 43)


def refused_state(given: str) -> None:
    assert not browser_round._equal(given, "k" * 43)


def refused_refresh(given: str) -> None:
    assert not REFRESH.is_ours(BroughtToken("grant", 1, given), b"salt")


REFRESH = RefreshTokens(parse_key_ring("K", new_key()))
KEPT = REFRESH.token("grant", 1, b"salt").rpartition("_")[2]


def medians(check: Callable[[str], None], wrong: tuple[str, str]) -> tuple[float, float]:
    """Nanoseconds of each, by turns, so that what slows the machine slows both; each is first in half of the turns,
    as some machines are slower at the first of two.
    """
    taken: tuple[list[int], list[int]] = ([], [])
    turn = list(zip(wrong, taken, strict=True))
    for _ in range(TRIES // 2):
        turn.reverse()
        for one, times in turn:
            began = time.perf_counter_ns()
            check(one)
            times.append(time.perf_counter_ns() - began)
    return median(taken[0]), median(taken[1])


@pytest.mark.parametrize(
    ("check", "kept"),
    [
        pytest.param(refused_form, "k" * 43, id="X-4: unknown and wrong take as long-a form"),
        pytest.param(refused_state, "k" * 43, id="X-4: unknown and wrong take as long-a state"),
        pytest.param(refused_refresh, KEPT, id="X-4: unknown and wrong take as long-a refresh token"),
    ],
)
def test_a_guess_that_is_nearly_right_takes_as_long_as_one_that_is_all_wrong(
    check: Callable[[str], None], kept: str
) -> None:
    nearly, other = kept[:-1] + ("x" if kept[-1] != "x" else "y"), "".join("x" if one != "x" else "y" for one in kept)
    for _ in range(ATTEMPTS):
        first, second = medians(check, (nearly, other))
        if abs(first - second) < NEAR * max(first, second):
            return
    pytest.fail(f"{first} and {second} ns, each of {ATTEMPTS} times")
