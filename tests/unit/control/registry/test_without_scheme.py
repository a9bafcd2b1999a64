"""An address without a scheme is answered with the one that was probably meant."""

import pytest

from control.registry.without_scheme import did_you_mean


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("127.0.0.1:9541/mcp", "http://127.0.0.1:9541/mcp"),
        ("localhost:9000", "http://localhost:9000"),
        ("[::1]:9000/mcp", "http://[::1]:9000/mcp"),
        ("crm.example.com/mcp", "https://crm.example.com/mcp"),
        ("crm:8000/mcp", "https://crm:8000/mcp"),
    ],
)
def test_a_host_with_a_port_or_a_path_is_suggested_with_its_scheme(typed, meant):
    assert did_you_mean(typed) == f"; did you mean {meant}?"


@pytest.mark.parametrize(
    "typed", ["", "crm", "the CRM server", "ftp://crm.example.com", "htps://crm.example.com", "a.example:99999/mcp",
              "ann:secret@crm.example.com", "http//crm", "/mcp", "a" * 3_000]
)  # fmt: skip
def test_what_is_no_such_host_gets_no_suggestion(typed):
    assert did_you_mean(typed) == ""
