import pytest

from core.mcp.exact_numbers import Exact
from core.mcp.param_headers import (
    InvalidParamHeader,
    first_wrong_param_header,
    param_header_values,
    param_headers,
)

REGION = {"type": "string", "x-mcp-header": "Region"}


def schema(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties}


HEADERS = param_headers(
    schema(
        region=REGION,
        n={"type": "integer", "x-mcp-header": "N"},
        flag={"type": "boolean", "x-mcp-header": "Flag"},
        inner=schema(name={"type": "string", "x-mcp-header": "Inner-Name"}),
    )
)


def test_annotations_are_found_along_chains_of_properties_in_schema_order() -> None:
    assert HEADERS == (
        ("Region", ("region",)),
        ("N", ("n",)),
        ("Flag", ("flag",)),
        ("Inner-Name", ("inner", "name")),
    )


@pytest.mark.parametrize("plain", [{}, schema(), schema(a={"type": "string"}), None, True, []])
def test_a_schema_without_annotations_has_no_headers(plain: object) -> None:
    assert param_headers(plain) == ()


def test_a_property_may_be_called_like_the_annotation() -> None:
    assert param_headers(schema(**{"x-mcp-header": {"type": "string"}})) == ()


@pytest.mark.parametrize("keyword", ["default", "const", "enum", "examples"])
def test_data_that_looks_like_an_annotation_is_none(keyword: str) -> None:
    assert param_headers(schema(a={keyword: {"x-mcp-header": "bad name"}})) == ()


@pytest.mark.parametrize("token", ["", "a b", "a:b", "a\r\nb", "caf\u00e9", 7, None, "x" * 129])
def test_a_token_that_is_none_is_refused(token: object) -> None:
    with pytest.raises(InvalidParamHeader, match="'a' must be an HTTP token"):
        param_headers(schema(a={"type": "string", "x-mcp-header": token}))


@pytest.mark.parametrize("kind", ["number", "object", "array", "null", None, ["string", "null"]])
def test_a_type_without_one_header_form_is_refused(kind: object) -> None:
    with pytest.raises(InvalidParamHeader, match="needs the type"):
        param_headers(schema(a={"type": kind, "x-mcp-header": "A"}))


def test_two_tokens_that_differ_only_in_case_are_refused() -> None:
    with pytest.raises(InvalidParamHeader, match="more than one property"):
        param_headers(schema(a={**REGION}, b={**REGION, "x-mcp-header": "rEGION"}))


@pytest.mark.parametrize(
    "wrong",
    [
        REGION,
        schema(a={"type": "array", "items": REGION}),
        schema(a={"anyOf": [REGION]}),
        schema(a={"items": [schema(b=REGION)]}),
        {"$defs": {"x": REGION}},
        {"additionalProperties": REGION},
        {"patternProperties": {"^a": REGION}},
        {"if": schema(a=REGION)},
        {"not": {"oneOf": [{"prefixItems": [REGION]}]}},
    ],
)
def test_an_annotation_that_properties_alone_do_not_reach_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidParamHeader, match="may stand only on properties"):
        param_headers(wrong)


def test_a_reference_is_not_followed() -> None:
    assert param_headers({"$ref": "http://169.254.169.254/", "properties": {"a": {"$ref": "#"}}}) == ()


def test_arguments_become_headers_by_type() -> None:
    arguments = {"region": "\u00e9u", "n": -42, "flag": True, "inner": {"name": "x"}}
    assert param_header_values(HEADERS, arguments) == {
        "Mcp-Param-Region": "=?base64?w6l1?=",
        "Mcp-Param-N": "-42",
        "Mcp-Param-Flag": "true",
        "Mcp-Param-Inner-Name": "x",
    }


@pytest.mark.parametrize("number", ["50000000000000000000", "-18446744073709551616"])
def test_an_integer_beyond_64_bits_is_written_with_every_digit(number: str) -> None:
    for written in (number, number + ".0", number + ".000"):
        arguments: dict[str, object] = {"n": Exact(written)}
        assert param_header_values(HEADERS, arguments) == {"Mcp-Param-N": number}
        for header in (number, number + ".0"):
            assert first_wrong_param_header(HEADERS, arguments, {"mcp-param-n": header}) is None
        for header in (number[:-1] + "1", number + "0", number + ".5", "5e19", ""):
            assert first_wrong_param_header(HEADERS, arguments, {"mcp-param-n": header}) == "Mcp-Param-N"


@pytest.mark.parametrize("number", ["0.12345678901234567890123", "1e400", "50000000000000000000.5"])
def test_a_number_that_is_not_whole_has_no_header_form(number: str) -> None:
    assert param_header_values(HEADERS, {"n": Exact(number)}) == {}


def test_a_whole_float_is_written_as_an_integer() -> None:
    assert param_header_values(HEADERS, {"n": 42.0}) == {"Mcp-Param-N": "42"}


@pytest.mark.parametrize("number", [1e19, 5e99, -1.7976931348623157e308])
def test_what_is_written_of_a_large_whole_float_mirrors_it(number: float) -> None:
    sent = {name.lower(): str(value) for name, value in param_header_values(HEADERS, {"n": number}).items()}
    assert first_wrong_param_header(HEADERS, {"n": number}, sent) is None
    assert first_wrong_param_header(HEADERS, {"n": number}, {"mcp-param-n": sent["mcp-param-n"] + "0"}) is not None


@pytest.mark.parametrize(
    "arguments", [{}, {"region": None}, {"region": ["eu"]}, {"n": 1.5}, {"inner": "x"}, {"inner": {}}]
)
def test_an_argument_without_a_header_form_gives_no_header(arguments: dict[str, object]) -> None:
    assert param_header_values(HEADERS, arguments) == {}
    assert first_wrong_param_header(HEADERS, arguments, {}) is None


@pytest.mark.parametrize(
    ("received", "arguments"),
    [
        ({"mcp-param-region": "eu"}, {"region": "eu"}),
        ({"mcp-param-region": " eu\t"}, {"region": "eu"}),
        ({"mcp-param-region": "=?base64?w6l1?="}, {"region": "\u00e9u"}),
        ({"mcp-param-n": "42"}, {"n": 42.0}),
        ({"mcp-param-n": "42.0"}, {"n": 42}),
        ({"mcp-param-flag": "false"}, {"flag": False}),
        ({"mcp-param-other": "x"}, {}),
    ],
)
def test_headers_that_mirror_their_arguments_pass(received: dict[str, str], arguments: dict[str, object]) -> None:
    assert first_wrong_param_header(HEADERS, arguments, received) is None


@pytest.mark.parametrize(
    ("received", "arguments", "wrong"),
    [
        ({}, {"region": "eu"}, "Mcp-Param-Region"),
        ({"mcp-param-region": "us"}, {"region": "eu"}, "Mcp-Param-Region"),
        ({"mcp-param-region": "EU"}, {"region": "eu"}, "Mcp-Param-Region"),
        ({"mcp-param-region": "eu"}, {}, "Mcp-Param-Region"),
        ({"mcp-param-region": "null"}, {"region": None}, "Mcp-Param-Region"),
        ({"mcp-param-region": "=?base64?w6l1==?="}, {"region": "\u00e9u"}, "Mcp-Param-Region"),
        ({"mcp-param-n": "42"}, {"n": 43}, "Mcp-Param-N"),
        ({"mcp-param-n": "42.5"}, {"n": 42}, "Mcp-Param-N"),
        ({"mcp-param-n": "0x2a"}, {"n": 42}, "Mcp-Param-N"),
        ({"mcp-param-flag": "1"}, {"flag": True}, "Mcp-Param-Flag"),
        ({"mcp-param-flag": "True"}, {"flag": True}, "Mcp-Param-Flag"),
    ],
)
def test_a_header_that_does_not_mirror_its_argument_is_named(
    received: dict[str, str], arguments: dict[str, object], wrong: str
) -> None:
    assert first_wrong_param_header(HEADERS, arguments, received) == wrong


def test_a_deep_schema_exhausts_nothing() -> None:
    deep: dict[str, object] = {}
    for _ in range(5000):
        deep = {"properties": {"a": deep}}
    assert param_headers(deep) == ()
