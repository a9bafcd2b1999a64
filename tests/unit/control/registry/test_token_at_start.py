from datetime import timedelta

import pytest

from control.registry.credential import ClientCredentials, Credential, OAuthCredential, StaticCredential
from control.registry.token_at_start import LONGEST_CALL_S, START_S, drain_s, is_at_start, renewed_ahead
from tests.fakes.registry import an_entry


@pytest.mark.parametrize(
    ("credential", "at_start"),
    [
        (OAuthCredential(variable="TOKEN"), True),
        (ClientCredentials(file="token"), True),
        (OAuthCredential(), False),
        (StaticCredential("variable", variable="KEY"), False),
    ],
)
def test_a_program_that_is_started_with_a_token_that_ends_is_told_apart(
    credential: Credential, *, at_start: bool
) -> None:
    entry = an_entry(credential=credential)
    assert is_at_start(entry) is at_start
    assert (renewed_ahead(entry) > timedelta(0)) is at_start


@pytest.mark.parametrize(("deadline", "longest"), [(0, LONGEST_CALL_S), (1_800, 1_800)])
def test_the_next_token_comes_before_the_longest_call_with_the_one_before_would_end(
    deadline: float, longest: float
) -> None:
    entry = an_entry(credential=OAuthCredential(variable="TOKEN"), deadline_s=deadline)
    assert drain_s(entry) == longest
    assert renewed_ahead(entry) == timedelta(seconds=longest + START_S)
