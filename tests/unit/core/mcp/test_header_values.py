import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mcp.header_values import decode_sentinel, encode_sentinel, safe_header_value


def wrapped(payload: str) -> str:
    return f"=?base64?{payload}?="


@pytest.mark.parametrize("text", ["", "a", "two words", "tab\tinside", "~!@#"])
def test_visible_ascii_is_safe(text: str) -> None:
    assert safe_header_value(text) == text


@pytest.mark.parametrize(
    "text", [" a", "a ", "\ta", "a\t", "a\r\nb", "a\n", "\x00", "\x7f", "\u00e9", "adm\udcffin", " "]
)
def test_anything_else_is_unsafe(text: str) -> None:
    with pytest.raises(ValueError, match="visible ASCII"):
        safe_header_value(text)


def test_the_error_does_not_repeat_the_value() -> None:
    with pytest.raises(ValueError) as caught:
        safe_header_value("sesame\u00e9")
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "get_time", "two words", "=?base64?", "?=", "=?BASE64?YQ==?="])
def test_safe_text_is_sent_as_it_is(text: str) -> None:
    assert encode_sentinel(text) == text


@pytest.mark.parametrize("text", ["\u00e9", " a", "a ", "a\tb", "a\nb", "=?base64?YQ==?=", "=?base64??="])
def test_other_text_is_wrapped(text: str) -> None:
    assert encode_sentinel(text) == wrapped(base64.b64encode(text.encode()).decode())


@given(st.text())
def test_what_is_encoded_is_safe_and_reads_back_the_same(text: str) -> None:
    value = encode_sentinel(text)
    assert safe_header_value(value) == value
    assert decode_sentinel(value) == text


def test_a_lone_surrogate_has_no_header_form() -> None:
    with pytest.raises(ValueError):
        encode_sentinel("\ud800")


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param("YQ=", id="one padding sign short"),
        pytest.param("YQ", id="no padding"),
        pytest.param("YQ===", id="one padding sign too many"),
        pytest.param("=YQ=", id="padding in front"),
        pytest.param("YR==", id="loose trailing bits"),
        pytest.param("!!!", id="foreign characters"),
        pytest.param("Y Q==", id="a space inside"),
        pytest.param("-_==", id="the URL alphabet"),
        pytest.param("/w==", id="not UTF-8"),
        pytest.param("7aCA", id="an encoded surrogate"),
    ],
)
def test_a_malformed_sentinel_is_refused(payload: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        decode_sentinel(wrapped(payload))


@pytest.mark.parametrize("value", ["=?base64?YQ==", "YQ==?=", "=?Base64?YQ==?=", "=?base64?=", "x=?base64?YQ==?="])
def test_what_is_no_whole_sentinel_is_text(value: str) -> None:
    assert decode_sentinel(value) == value


def test_an_empty_sentinel_is_the_empty_text() -> None:
    assert decode_sentinel(wrapped("")) == ""


def test_a_sentinel_inside_a_sentinel_is_decoded_once() -> None:
    inner = wrapped("YQ==")
    assert decode_sentinel(wrapped(base64.b64encode(inner.encode()).decode())) == inner


@given(st.text())
def test_decoding_raises_nothing_but_value_errors(value: str) -> None:
    try:
        decode_sentinel(value)
    except ValueError:
        return
    assert safe_header_value(value) == value
