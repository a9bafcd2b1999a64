from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.registry.broken_rule import BrokenRule
from control.registry.field_contents import field_headers
from control.registry.fields import (
    Field,
    FieldType,
    as_text,
    check_answers,
    check_fields,
)
from control.registry.targets import Target, header
from control.registry.told import as_plain
from control.registry.url_template import UrlPart
from core.egress.addresses import AddressPolicy
from core.mcp.header_values import safe_header_value

PUBLIC = AddressPolicy()
ACCOUNT = Field("account", "string", "x-account")
KEY = Field("key", "secret", "x-key")


def test_header_names_are_stored_in_lower_case() -> None:
    (checked,) = check_fields([Field("a", "string", "X-Account")], {}, PUBLIC)
    assert checked.header == "x-account"


def test_fields_survive_their_row() -> None:
    fields = (ACCOUNT, Field("region", "select", "x-region", options=("eu", "us"), default="eu"))
    assert msgspec.convert(as_plain(fields), tuple[Field, ...]) == fields


@pytest.mark.parametrize(
    ("field", "path"),
    [
        (Field("Bad Name", "string", "x-a"), "fields[0].name"),
        (Field("credential", "string", "x-a"), "fields[0].name"),
        (Field("a", "string", "Host"), "fields[0].header"),
        (Field("a", "string", "x_a"), "fields[0].header"),
        (Field("a", "secret", "x-a", default="s3cret"), "fields[0].default"),
        (Field("a", "number", "x-a", default="five"), "fields[0].default"),
        (Field("a", "select", "x-a"), "fields[0].options"),
        (Field("a", "select", "x-a", options=("eu", "eu")), "fields[0].options"),
        (Field("a", "select", "x-a", options=("eu\n",)), "fields[0].options[0]"),
        (Field("a", "string", "x-a", options=("eu",)), "fields[0].options"),
        (Field("a", "select", "x-a", options=("eu",), default="us"), "fields[0].default"),
    ],
)
def test_a_wrong_definition_names_the_part_at_fault(field: Field, path: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        check_fields([field], {}, PUBLIC)
    assert refused.value.field == path
    assert "s3cret" not in str(refused.value)


def test_two_fields_need_two_names() -> None:
    with pytest.raises(BrokenRule, match=r"fields\[1\]\.name"):
        check_fields([ACCOUNT, Field("account", "string", "x-other")], {}, PUBLIC)


@pytest.mark.parametrize(
    ("field", "taken"),
    [
        (ACCOUNT, header("x-account")),
        (Field("a", "string", "Authorization"), header("authorization")),
        (Field("a", "string", variable="KEY"), Target("variable", "KEY")),
        (Field("a", "string", file="ca.pem"), Target("file", "ca.pem")),
    ],
)
def test_a_header_a_variable_and_a_file_has_one_source(field: Field, taken: Target) -> None:
    with pytest.raises(BrokenRule, match=f"{taken} is already filled by the entry"):
        check_fields([field], {taken: "the entry"}, PUBLIC, targets=("header", "variable", "file"))


def test_secret_answers_are_kept_apart_and_do_not_show() -> None:
    answers = check_answers([ACCOUNT, KEY], {"account": "acme", "key": "s3cret"}, PUBLIC)
    assert answers.plain == {"account": "acme"}
    assert answers.secret == {"key": "s3cret"}
    assert "s3cret" not in repr(answers)


def test_a_missing_required_answer_is_named() -> None:
    with pytest.raises(BrokenRule, match=r"values\.key: is needed"):
        check_answers([ACCOUNT, KEY], {"account": "acme"}, PUBLIC)


def test_defaults_fill_in_and_optional_answers_may_be_absent() -> None:
    fields = [Field("a", "number", "x-a", default=5), Field("b", "string", "x-b", required=False)]
    assert check_answers(fields, {}, PUBLIC).plain == {"a": 5}


def test_an_unknown_answer_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(BrokenRule, match=r"values\.acount: is no field of this entry; it has account"):
        check_answers([ACCOUNT], {"acount": "acme"}, PUBLIC)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("string", 5), ("string", ""), ("string", "a\r\nb: c"), ("number", "5"), ("number", True),
        ("number", float("inf")), ("string", ["a"]), ("string", {"a": 1}),
        ("boolean", "true"), ("boolean", 1), ("url", "file:///etc/passwd"), ("url", "http://169.254.169.254/"),
        ("url", "http://10.0.0.1/"), ("secret", 7), ("secret", "zeilen\numbruch"),
    ],
)  # fmt: skip
def test_an_answer_of_the_wrong_kind_is_refused(kind: FieldType, answer: Any) -> None:
    with pytest.raises(BrokenRule, match=r"values\.a"):
        check_answers([Field("a", kind, "x-a")], {"a": answer}, PUBLIC)


def test_answers_fill_headers_in_the_order_of_the_fields() -> None:
    fields = [Field("n", "number", "x-n"), KEY, Field("b", "boolean", "x-b"), Field("o", "string", "x-o")]
    headers = field_headers(fields, {"n": 2.0, "b": False}, {"key": "k"})
    assert headers == [("x-n", "2"), ("x-key", "k"), ("x-b", "false")]


@given(st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_every_plain_answer_is_a_safe_header_value(answer: bool | int | float) -> None:
    assert safe_header_value(as_text(answer))


PLACES: dict[str, UrlPart] = {"region": "host label", "site": "path segment"}
REGION, SITE = Field("region", "string"), Field("site", "string")


def test_a_field_without_a_header_fills_the_placeholder_of_its_name() -> None:
    assert check_fields([REGION, SITE, ACCOUNT], {}, PUBLIC, PLACES) == (REGION, SITE, ACCOUNT)
    assert field_headers([REGION, ACCOUNT], {"region": "eu", "account": "acme"}, {}) == [("x-account", "acme")]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ([REGION], "url"),
        ([REGION, SITE, Field("other", "string")], "fields[2].header"),
        ([REGION, Field("site", "string", "x-site")], "fields[1].header"),
        ([REGION, Field("site", "secret")], "fields[1].type"),
        ([REGION, Field("site", "url")], "fields[1].type"),
        ([REGION, Field("site", "boolean")], "fields[1].type"),
        ([REGION, Field("site", "string", required=False)], "fields[1].required"),
        ([REGION, Field("site", "string", default="a/b")], "fields[1].default"),
        ([REGION, Field("site", "select", options=("a", ".."))], "fields[1].options[1]"),
        ([Field("region", "number", default=1.5), SITE], "fields[0].default"),
        ([REGION, REGION, SITE], "fields[1].name"),
    ],
)
def test_placeholders_and_fields_without_a_header_belong_together_one_to_one(fields: list[Field], path: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        check_fields(fields, {}, PUBLIC, PLACES)
    assert refused.value.field == path


def test_an_optional_field_may_fill_the_url_with_its_default() -> None:
    optional = Field("site", "string", required=False, default="main")
    assert check_fields([REGION, optional], {}, PUBLIC, PLACES) == (REGION, optional)
