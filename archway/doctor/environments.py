"""The environments that the doctor examines: its own, or files with the settings of one program each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Plane = Literal["control", "proxy"]
TELLING: dict[Plane, tuple[str, ...]] = {
    "control": ("ARCHWAY_SECRET_KEY", "ARCHWAY_SIGNING_KEY"),
    "proxy": ("ARCHWAY_VERIFY_KEYS",),
}
"""Keys that only one plane takes: where one is set, that plane is to be started with this environment."""
_MOST_BYTES = 1 << 20


class BadEnvFile(ValueError):
    """A file that holds no settings; the sentence names the line."""


@dataclass(frozen=True, slots=True)
class Given:
    """Settings and where they were read."""

    name: str
    settings: Mapping[str, str]

    def is_for(self, plane: Plane) -> bool:
        """Whether this plane is to be started with them."""
        return any(self.settings.get(name, "").strip() for name in TELLING[plane])

    @property
    def ours(self) -> int:
        """How many settings of Archway are in it."""
        return sum(name.startswith("ARCHWAY_") for name in self.settings)


def read_env_file(path: Path) -> Given:
    """A file of `NAME=value` lines, as `docker run --env-file` reads it: no quotes. Raises BadEnvFile."""
    settings = {}
    try:
        with path.open("rb") as file:
            lines = file.read(_MOST_BYTES).decode().splitlines()
    except (OSError, UnicodeDecodeError) as why:
        raise BadEnvFile(f"{path} cannot be read: {why}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, separator, value = line.strip().partition("=")
        if not separator or not name.isidentifier():
            raise BadEnvFile(f"{path}, line {number}: must be NAME=value, or begin with #")
        settings[name] = value
    return Given(path.name, settings)
