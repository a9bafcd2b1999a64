from pathlib import Path

from core.children.program import Program


async def ready() -> bool:
    return True


def test_the_environment_of_a_program_with_its_secrets_is_not_shown():
    program = Program("p", "P", ("true",), {"PASSWORD": "hunter2"}, Path("log"), Path("record"), ready)

    assert "hunter2" not in repr(program)
