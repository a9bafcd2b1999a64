import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.headers import check_allowlist, check_fixed_headers, check_own_header, check_value


def test_the_allowlist_is_stored_in_lower_case_sorted_and_once() -> None:
    assert check_allowlist(["X-Tenant", "X-Correlation-Id", "x-tenant"]) == ["x-correlation-id", "x-tenant"]


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "Mcp-Session-Id", "Host"])
def test_a_name_that_is_never_passed_on_is_refused_with_its_place(name: str) -> None:
    with pytest.raises(BrokenRule, match=rf"header_allowlist\[1\]: {name.lower()} "):
        check_allowlist(["x-fine", name])


@pytest.mark.parametrize("name", ["x_user", "", "a b", "x-ü", "x:y", "x" * 65, "a\r\nb", ":path", "\u212a-x"])
def test_a_name_that_is_no_safe_token_is_refused(name: str) -> None:
    with pytest.raises(BrokenRule):
        check_allowlist([name])


def test_a_long_allowlist_is_refused() -> None:
    with pytest.raises(BrokenRule, match="at most 32"):
        check_allowlist([f"x-{n}" for n in range(33)])


def test_a_name_of_the_company_s_own_is_its_administrators_to_allow() -> None:
    assert check_allowlist(["X-User"]) == ["x-user"]


@pytest.mark.parametrize(
    "name", ["private-token", "x-goog-api-key", "x-amz-security-token", "x-http-method-override"]
)
def test_what_callers_may_not_write_an_entry_may_still_send(name: str) -> None:
    assert check_own_header(name, "f") == name


def test_an_entry_may_send_an_authorization_of_its_own() -> None:
    assert check_own_header("Authorization", "f") == "authorization"


@pytest.mark.parametrize(
    "name", ["Host", "Content-Length", "Mcp-Session-Id", "Connection", "Transfer-Encoding", "Via"]
)
def test_an_entry_may_not_set_what_frames_the_message(name: str) -> None:
    with pytest.raises(BrokenRule):
        check_own_header(name, "f")


def test_fixed_headers_are_lower_case_and_sorted() -> None:
    assert check_fixed_headers({"X-B": "2", "X-A": "1"}) == {"x-a": "1", "x-b": "2"}


def test_one_fixed_header_in_two_spellings_is_refused() -> None:
    with pytest.raises(BrokenRule, match="twice"):
        check_fixed_headers({"X-A": "1", "x-a": "2"})


@pytest.mark.parametrize("value", ["", "a\r\nx-evil: 1", "naïve", " lead", "trail ", "nul\x00", "x" * 16_385])
def test_a_value_that_no_header_can_carry_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        check_value(value, "values.key")
    assert refused.value.field == "values.key"
    assert not value or value not in str(refused.value)
