"""Modules of ours that were compiled (`make compiled`), and whether they are of the very sources that are here.

A build lies in a folder of its own, with a stamp: of which sources, for which Python, made by which compiler. Nothing
of it stands beside the sources, so a checkout is interpreted until somebody asks for more. The lifeline of a proxy's
worker takes a build whose stamp fits (`take_if_wanted`), the worker says which form runs (`is_used`), and
`tools/compile.py` makes one. A build that does not fit is not used: constants and the layout of objects are compiled
in, so the stamp is of all sources of `core` and `proxy`, compiled or not. What is left out: how to compile.
"""

import hashlib
import importlib
import json
import platform
import sys
import sysconfig
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

FOLDERS: Final = (".compiled", "archway_compiled")
"""Beside the packages: of a checkout, and of a wheel."""
STAMP: Final = "stamp.json"
SHARED: Final = "archway_compiled__mypyc"
"""The library in which everything is; the modules' own files only point into it."""
SETTING: Final = "ARCHWAY_COMPILED"
WHY_NOT: Final = "ARCHWAY_NOT_COMPILED"
"""Where the lifeline leaves word for the worker why a build that is here is not used."""
_OFF: Final = frozenset({"0", "false"})
"""As `core.settings` reads them."""


class DoesNotFit(Exception):
    """A build that cannot be used with the sources that are here; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Build:
    """A build that fits the sources and the Python that are here: its files by module, and what made it."""

    files: dict[str, Path]
    compiler: str


class CompiledModules(MetaPathFinder):
    """Finds the modules of a build before their sources are found."""

    def __init__(self, files: dict[str, Path]) -> None:
        self._files = files

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """How a module is loaded; None for one that was not compiled."""
        file = self._files.get(fullname)
        if file is None:
            return None
        return spec_from_file_location(fullname, file, loader=ExtensionFileLoader(fullname, str(file)))


def root() -> Path:
    """The folder in which our packages are."""
    return Path(__file__).parents[1]


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether a build may be used: unless `ARCHWAY_COMPILED` says no."""
    return environment.get(SETTING, "").strip().lower() not in _OFF


def take_if_wanted(environment: MutableMapping[str, str], packages: Path) -> None:
    """As `take`, unless `ARCHWAY_COMPILED` says no. Why a build is not used is left in the environment."""
    if not is_wanted(environment):
        return
    try:
        take(packages)
    except DoesNotFit as why:
        environment[WHY_NOT] = str(why)


def what_is_here(packages: Path) -> Build | None:
    """The build beside these packages; None where there is none. Raises DoesNotFit."""
    for name in FOLDERS:
        if (packages / name).is_dir():
            return _build_in(packages / name, packages)
    return None


def take(packages: Path) -> bool:
    """Have modules that are imported from now on be those of the build that fits; whether there is one.

    Raises DoesNotFit; then nothing is changed, and the sources serve.
    """
    try:
        build = what_is_here(packages)
    except OSError as error:  # it is being replaced, or a source is
        raise DoesNotFit(f"it cannot be read: {type(error).__name__}") from None
    if build is None:
        return False
    finder = CompiledModules(build.files)
    sys.meta_path.insert(0, finder)
    try:
        importlib.import_module(SHARED)
    except ImportError as error:
        sys.meta_path.remove(finder)
        raise DoesNotFit(f"it cannot be loaded: {error}") from None
    return True


def is_used() -> bool:
    """Whether compiled modules are found in this process."""
    return any(isinstance(finder, CompiledModules) for finder in sys.meta_path)


def here(packages: Path) -> dict[str, str]:
    """What a build must be made of and for, to be used here."""
    return {
        "python": f"{platform.python_version()} {sysconfig.get_config_var('SOABI')}",
        "machine": sysconfig.get_platform(),
        "sources": _sources(packages),
    }


def stamp_of(made_of: dict[str, str], folder: Path, modules: list[str], compiler: str) -> dict[str, object]:
    """What is to be written of a build in `folder`; `made_of`: what `here` said before it. Raises DoesNotFit for half
    of one."""
    found = sorted(folder.rglob("*.so"))
    files = {_module_of(file, folder): [str(file.relative_to(folder)), _digest(file)] for file in found}
    missing = {SHARED, *modules} - files.keys()
    if missing:
        raise DoesNotFit(f"it is not whole: {', '.join(sorted(missing))}")
    return {**made_of, "compiler": compiler, "modules": modules, "files": files}


def _build_in(folder: Path, packages: Path) -> Build:
    try:
        told = json.loads((folder / STAMP).read_bytes())
        files = {name: (folder / place, digest) for name, (place, digest) in told["files"].items()}
        compiler = str(told["compiler"])
    except FileNotFoundError:
        raise DoesNotFit("it is not whole: it has no stamp") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DoesNotFit(f"its stamp cannot be read: {type(error).__name__}") from None
    for what, is_so in here(packages).items():
        if told.get(what) != is_so:
            raise DoesNotFit("the sources have changed since" if what == "sources" else f"it is for another {what}")
    for name, (file, digest) in files.items():
        if not file.is_file() or _digest(file) != digest:
            raise DoesNotFit(f"it is not whole: {name}")
    return Build({name: file for name, (file, _) in files.items()}, compiler)


def _sources(packages: Path) -> str:
    """A digest of all sources whose constants, types or objects may be compiled in."""
    digest = hashlib.sha256()
    for file in sorted(one for package in ("core", "proxy") for one in (packages / package).rglob("*.py")):
        text = file.read_bytes()
        digest.update(b"%s %d\n" % (str(file.relative_to(packages)).encode(), len(text)))
        digest.update(text)
    return digest.hexdigest()


def _module_of(file: Path, folder: Path) -> str:
    return ".".join((*file.relative_to(folder).parent.parts, file.name.partition(".")[0]))


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
