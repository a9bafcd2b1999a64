"""Programs of one's own. That they run is shown in tests/clients/test_connect_programs.py."""

from __future__ import annotations

import ast

import pytest

from control.console.connecting import sdks
from control.console.connecting.sample_call import SampleCall
from control.console.connecting.step import Instructions, Target

TARGET = Target('https://mcp.example.com/v1/mcp/"sales', "sales", "arch_secret")


@pytest.mark.parametrize("make", [sdks.python_token, sdks.python_jwt, sdks.python_signed_in])
def test_the_python_program_is_one_whatever_the_address(make: Instructions) -> None:
    tree = ast.parse(make(TARGET)[-1].code)
    assert any(isinstance(node, ast.Constant) and node.value == TARGET.url for node in ast.walk(tree))


@pytest.mark.parametrize("make", [sdks.python_token, sdks.python_jwt, sdks.python_signed_in])
def test_the_python_program_calls_the_tool_to_try(make: Instructions) -> None:
    call = SampleCall("crm__find", {"name": 'O\'Neil "{x}"', "deep": True})
    program = make(Target(TARGET.url, "sales", "arch_secret", call))[-1].code
    calls = [node for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Call)]
    asked = next(one for one in calls if isinstance(one.func, ast.Attribute) and one.func.attr == "call_tool")
    assert [ast.literal_eval(one) for one in asked.args] == ["crm__find", dict(call.arguments)]


@pytest.mark.parametrize("make", [sdks.typescript_token, sdks.typescript_jwt, sdks.typescript_signed_in])
def test_the_typescript_program_calls_the_tool_to_try(make: Instructions) -> None:
    program = make(Target(TARGET.url, "sales", "arch_secret", SampleCall("crm__find", {"deep": True})))[-1].code
    assert 'client.callTool({ name: "crm__find", arguments: {"deep": true} })' in program


@pytest.mark.parametrize("make", [sdks.python_token, sdks.typescript_token])
def test_the_secret_is_in_the_environment_and_not_in_the_program(make: Instructions) -> None:
    given, program = make(TARGET)
    assert "arch_secret" in given.code
    assert "arch_secret" not in program.code
