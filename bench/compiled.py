"""A bench in the compiled form: the process begins again with the modules that `make compiled` made."""

import os
import sys
from typing import NoReturn

_AGAIN = """
import runpy, sys
from core import compiled_form
try:
    assert compiled_form.take(compiled_form.root()), "there are none"
except (AssertionError, compiled_form.DoesNotFit) as why:
    sys.exit(f"the compiled modules cannot be used ({why}): make compiled")
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


def begin_again(module: str) -> NoReturn:
    """Exchange this program for the same one: what is compiled must be taken before anything of it is imported."""
    os.execv(sys.executable, [sys.executable, "-c", _AGAIN, module, *sys.argv[1:]])
