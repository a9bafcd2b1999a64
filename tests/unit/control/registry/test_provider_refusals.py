"""What is said where a provider's own token opened nothing: the reason, and the command that helps."""

import pytest

from control.registry.provider_refusals import provider_refusal_told
from control.registry.sign_in_refusals import refusal_told
from tests.fakes.providers import a_provider
from tests.fakes.registry import a_gateway

PROVIDER = a_provider(slug="corp")
DESK = a_gateway(slug="desk", identity_provider_id=PROVIDER.id, identity_provider_audience="https://mcp.test/desk")


@pytest.mark.parametrize(
    ("why", "said", "reason", "cure"),
    [
        ("external_shut_out", "zoe smith", "zoe smith", "archway external-principals enable 'zoe smith'"),
        ("job_shut_out", "nightly", "nightly", "archway oauth-clients enable nightly"),
        ("no_rule", "ref=main", "No rule of corp fits: ref=main", "archway identity-providers show corp"),
        ("nobody", "ann", "nobody here is ann of corp", "archway identity-providers people corp"),
        ("audience", "a;b", "is for a;b; this gateway takes https://mcp.test/desk.", "update desk --audience 'a;b'"),
    ],
)
def test_each_word_has_its_reason_and_a_command_with_what_the_token_said(
    why: str, said: str, reason: str, cure: str
) -> None:
    told = refusal_told("not_authenticated", why, DESK, "https://mcp.test", PROVIDER, said)
    assert reason in told[0]
    assert cure in told[1]


def test_of_a_provider_that_is_switched_off_the_command_switches_it_on() -> None:
    told = provider_refusal_told("issuer", "", DESK, a_provider(slug="corp", enabled=False))
    assert told is not None
    assert "archway identity-providers update corp --enabled" in told[1]
    assert provider_refusal_told("issuer", "", DESK, PROVIDER) is None


def test_of_a_token_that_nobody_found_good_nothing_is_said() -> None:
    assert provider_refusal_told("audience", "", DESK, PROVIDER) is None
    assert provider_refusal_told("signature", "ann", DESK, PROVIDER) is None
    assert provider_refusal_told("no_rule", "ref=main", DESK, None) is None
