"""`make compiled`: the modules that nearly every call passes, compiled with mypyc into `.compiled/`.

Which ones stands in pyproject.toml (`tool.archway.compiled`). `setup.py` builds the same into a wheel. The sources
stay as they are; without a build, or with one that does not fit them, they are interpreted (`core/compiled_form.py`).
Needs what `make` installs, a C compiler and the headers of Python.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.compiled_form import FOLDERS, SHARED, STAMP, DoesNotFit, here, stamp_of, what_is_here  # noqa: E402 - see above

CHECKOUT, WHEEL = FOLDERS


def modules() -> list[str]:
    """The modules that are compiled, by name."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return list(told["tool"]["archway"]["compiled"]["modules"])


def build(folder: Path) -> None:
    """Compile into this folder; what was there before serves until the new one is whole."""
    from mypy.version import __version__ as version
    from mypyc.build import mypycify
    from setuptools import Distribution

    began = folder.with_name(f"{folder.name}.begun")
    shutil.rmtree(began, ignore_errors=True)
    os.chdir(ROOT)  # mypy reads pyproject.toml here
    made_of = here(ROOT)  # a source that changes meanwhile makes a build that does not fit
    paths = [f"{name.replace('.', '/')}.py" for name in modules()]
    extensions = mypycify(
        paths, group_name=SHARED.removesuffix("__mypyc"), opt_level="3", debug_level="0", target_dir=str(began / "c")
    )
    command = Distribution({"name": "archway", "ext_modules": extensions}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(began / "made"), str(began / "objects")
    command.ensure_finalized()
    command.run()
    stamp = stamp_of(made_of, began / "made", modules(), _by(version))
    (began / "made" / STAMP).write_text(json.dumps(stamp, indent=1))
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    (began / "made").rename(folder)
    shutil.rmtree(began)


def lacks() -> str:
    """What a machine lacks for this; empty for nothing."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(os.environ.get("CC", compiler)) is None:
        return f"a C compiler ({compiler}; on Debian: apt-get install -y gcc)"
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        return "the headers of Python (on Debian: apt-get install -y python3-dev)"
    return ""


def is_made(folder: Path) -> bool:
    """Whether the build in this folder is of the sources, the list and the compiler that are here."""
    from mypy.version import __version__ as version

    try:
        told = json.loads((folder / STAMP).read_bytes())
        return what_is_here(ROOT) is not None and told["modules"] == modules() and told["compiler"] == _by(version)
    except (DoesNotFit, OSError, ValueError):
        return False


def _by(version: str) -> str:
    return f"mypyc {version}"


def main() -> None:
    """The program; `--can` only says, by its status, whether this machine can compile."""
    missing, folder = lacks(), ROOT / CHECKOUT
    if sys.argv[1:] == ["--can"]:
        sys.exit(bool(missing))
    if missing:
        sys.exit(f"cannot compile: this machine lacks {missing}. Archway runs without, interpreted.")
    if is_made(folder):
        print(f"{folder.name}/ fits the sources that are here")
        return
    print(f"Compiling {len(modules())} modules into {folder.name}/ (a minute or two of CPU) ...", flush=True)
    try:
        build(folder)
    except (SystemExit, subprocess.SubprocessError) as error:
        sys.exit(f"cannot compile: {error}")
    print(f"{folder.name}/ is made: workers that are started from now on use it (ARCHWAY_COMPILED=0: they do not)")


if __name__ == "__main__":
    main()
