"""The matrix of credential kind and runtime, cell by cell: a cell works, or its reason is said when it is saved."""

from itertools import product
from pathlib import Path

import pytest
from msgspec.structs import replace

from control.credentials.matrix import (
    KINDS,
    MATRIX,
    RUNTIMES,
    Kind,
    Runtime,
    check_cell,
    check_goes_together,
    runtime_of,
)
from control.registry import credential
from control.registry.broken_rule import BrokenRule
from control.registry.credential import (
    ClientCredentials,
    Credential,
    IdentityAssertion,
    NoCredential,
    OAuthCredential,
    Passthrough,
    TokenExchange,
    WithAccount,
)
from control.registry.entry import Reached, Remote
from control.registry.self_hosted import SelfHosted
from tests.fakes.registry import BEARER

WORKS, REFUSED = "works", "refused"
WANTED = {
    "none": (WORKS, WORKS, WORKS),
    "static": (WORKS, WORKS, WORKS),
    "oauth": (WORKS, WORKS, WORKS),
    "client_credentials": (WORKS, WORKS, WORKS),
    "token_exchange": (WORKS, WORKS, REFUSED),
    "id_jag": (WORKS, WORKS, REFUSED),
    "passthrough": (WORKS, WORKS, REFUSED),
}
"""In the order of `RUNTIMES`."""
SAMPLES: dict[str, Credential] = {
    "none": NoCredential(), "static": BEARER, "oauth": OAuthCredential(issuer="https://login.test", resource="omit"),
    "client_credentials": ClientCredentials(issuer="https://login.test", resource="https://a.test"),
    "token_exchange": TokenExchange("0199f000-0000-7000-8000-000000000001", audience="crm"),
    "id_jag": IdentityAssertion("0199f000-0000-7000-8000-000000000001", "https://as.test", "us", resource="omit"),
    "passthrough": Passthrough(("crm",)),
}  # fmt: skip
REACHED: dict[Runtime, Reached] = {
    "remote": Remote("https://a.test/mcp"),
    "self_hosted_http": SelfHosted(transport="http", image="registry.test/a:1"),
    "self_hosted_stdio": SelfHosted(command=("npx", "a@1.0.0")),
}
PAGE = Path(__file__).resolve().parents[4] / "docs" / "administering" / "entries-and-installations.md"


@pytest.mark.parametrize(("kind", "runtime"), list(product(KINDS, RUNTIMES)))
def test_a_cell_works_or_is_refused_with_its_reason(kind: Kind, runtime: Runtime) -> None:
    wanted, cell = WANTED[kind][RUNTIMES.index(runtime)], MATRIX[kind, runtime]
    assert cell.state == wanted
    if wanted == WORKS:
        check_cell(kind, runtime)
        check_goes_together(_sample(kind, runtime), REACHED[runtime])
        assert cell.reason == ""
        return
    with pytest.raises(BrokenRule) as refused:
        check_cell(kind, runtime)
    assert str(refused.value) == f"credential_model: {kind!r} {cell.reason}"
    assert len(cell.reason) > 40


@pytest.mark.parametrize(
    ("credential", "field"),
    [
        (OAuthCredential(resource="omit"), "issuer"),
        (OAuthCredential(issuer="https://login.test"), "resource"),
        (ClientCredentials(issuer="https://login.test"), "resource"),
        (TokenExchange("0199f000-0000-7000-8000-000000000001", resource=""), "resource"),
        (IdentityAssertion("0199f000-0000-7000-8000-000000000001", "https://as.test", "us"), "resource"),
    ],
)
def test_a_server_that_archway_runs_is_not_asked_about_its_provider(credential: Credential, field: str) -> None:
    with pytest.raises(BrokenRule, match=rf"credential_placement\.{field}: is needed for a server that Archway runs"):
        check_goes_together(credential, REACHED["self_hosted_http"])
    check_goes_together(credential, REACHED["remote"])


@pytest.mark.parametrize("kind", ["oauth", "client_credentials"])
def test_a_program_over_stdio_is_given_its_token_at_its_start_and_nothing_else_is(kind: Kind) -> None:
    with pytest.raises(BrokenRule, match=r"credential_placement\.variable: or file is needed"):
        check_goes_together(SAMPLES[kind], REACHED["self_hosted_stdio"])
    for place in ("variable", "file"):
        at_start = replace(SAMPLES[kind], **{place: "TOKEN"})
        check_goes_together(at_start, REACHED["self_hosted_stdio"])
        for runtime in ("remote", "self_hosted_http"):
            with pytest.raises(BrokenRule, match=rf"credential_placement\.{place}: is for a program over stdio"):
                check_goes_together(at_start, REACHED[runtime])


def _sample(kind: Kind, runtime: Runtime) -> Credential:
    """One that such a server may have."""
    sample = SAMPLES[kind]
    at_start = runtime == "self_hosted_stdio" and isinstance(sample, WithAccount)
    return replace(sample, variable="TOKEN") if at_start else sample


def test_every_cell_is_declared_and_no_other() -> None:
    assert set(MATRIX) == set(product(KINDS, RUNTIMES)) == {(kind, one) for kind in WANTED for one in RUNTIMES}


def test_each_kind_that_an_entry_can_have_stands_in_the_matrix_and_works_somewhere() -> None:
    assert set(credential.KINDS) <= set(KINDS)
    assert all(
        any(MATRIX[kind, one].state == WORKS for one in RUNTIMES) for kind in KINDS if kind in credential.KINDS
    )


def test_the_kinds_are_those_that_entries_can_have() -> None:
    assert set(KINDS) == set(credential.KINDS)


def test_where_a_server_runs_is_told_by_how_it_is_reached() -> None:
    assert {runtime: runtime_of(reached) for runtime, reached in REACHED.items()} == {one: one for one in RUNTIMES}


def test_a_kind_that_nobody_knows_is_refused_with_those_there_are() -> None:
    with pytest.raises(BrokenRule, match="must be one of none, static"):
        check_cell("magic", "remote")


def test_the_page_tells_the_matrix() -> None:
    words = {WORKS: "works", REFUSED: "never"}
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    for kind, states in WANTED.items():
        assert f"| `{kind}` | {' | '.join(words[state] for state in states)} |" in rows
