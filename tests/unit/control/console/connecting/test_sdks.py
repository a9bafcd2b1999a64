"""Programs of one's own. That they run is shown in tests/clients/test_connect_programs.py."""

from __future__ import annotations

import ast

import pytest

from control.console.connecting import sdks
from control.console.connecting.step import Instructions, Target

TARGET = Target('https://mcp.example.com/v1/mcp/"sales', "sales", "arch_secret")


@pytest.mark.parametrize("make", [sdks.python_token, sdks.python_jwt, sdks.python_signed_in])
def test_the_python_program_is_one_whatever_the_address(make: Instructions) -> None:
    tree = ast.parse(make(TARGET)[-1].code)
    assert any(isinstance(node, ast.Constant) and node.value == TARGET.url for node in ast.walk(tree))


@pytest.mark.parametrize("make", [sdks.python_token, sdks.typescript_token])
def test_the_secret_is_in_the_environment_and_not_in_the_program(make: Instructions) -> None:
    given, program = make(TARGET)
    assert "arch_secret" in given.code
    assert "arch_secret" not in program.code
