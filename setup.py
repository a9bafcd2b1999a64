"""For wheels alone: with ARCHWAY_COMPILED_WHEEL=1 a wheel holds compiled modules too, in a folder of their own.

Everything else about the project stands in pyproject.toml, and the usual wheel is of Python alone. Such a wheel needs
a C compiler, and is for one Python on one kind of machine: `core/compiled_form.py` says when it is used. mypy, and
what a proxy imports, without which mypy could not check it, come into the environment of the build.
"""

import os
import sys
import tomllib
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py


class BuildCompiled(build_py):
    """Puts the compiled modules beside the packages."""

    def run(self) -> None:
        """Copy the sources, then compile them."""
        super().run()
        sys.path.insert(0, str(Path(__file__).parent / "tools"))
        from compile import WHEEL, build

        build(Path(self.build_lib).absolute() / WHEEL)


def needed() -> list[str]:
    """What this build needs besides setuptools; PIP_CONSTRAINT=constraints.txt says which versions."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    proxy, dev = (project["optional-dependencies"][name] for name in ("proxy", "dev"))
    return [*project["dependencies"], *proxy, *(one for one in dev if one.startswith("mypy"))]


class OfOneMachine(Distribution):
    """What is made is for one kind of machine."""

    def has_ext_modules(self) -> bool:
        """Whether the wheel's name says so."""
        return True


if os.environ.get("ARCHWAY_COMPILED_WHEEL") == "1":
    setup(cmdclass={"build_py": BuildCompiled}, distclass=OfOneMachine, setup_requires=needed())
else:
    setup()
