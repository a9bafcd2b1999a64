"""What a state keeps of its servers from one start to the next: passwords, ports, PostgreSQL's place elsewhere."""

from dataclasses import dataclass, replace
from pathlib import Path

from archway.private_files import read_json, write_json
from archway.up.environment import Ports
from archway.up.ports import settle
from archway.up.postgres import new_password
from archway.up.postgres_home import new_home


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a state remembers of its servers: the content of `<state>/servers.json`."""

    postgres_password: str
    redis_password: str
    postgres_home: str
    ports: dict[str, int]


def recall(path: Path) -> Remembered:
    """What is remembered; what is missing is made and kept."""
    kept = read_json(path)
    ports = {str(name): port for name, port in kept.get("ports", {}).items() if isinstance(port, int)}
    known = Remembered(
        str(kept.get("postgres_password") or new_password()),
        str(kept.get("redis_password") or new_password()),
        str(kept.get("postgres_home") or new_home()),
        ports,
    )
    remember(path, known)
    return known


def remember(path: Path, known: Remembered) -> None:
    """Keep it, mode 0600."""
    write_json(
        path,
        {
            "postgres_password": known.postgres_password,
            "redis_password": known.redis_password,
            "postgres_home": known.postgres_home,
            "ports": known.ports,
        },
    )


def settle_ports(path: Path, known: Remembered, proxy: int | None, control: int | None) -> Ports:
    """This run's ports, last time's wherever they are free; raises PortTaken."""
    taken: set[int] = set()
    asked = {"proxy": proxy, "control": control}
    # Those asked for by number come first, so that no other listener is given one of them.
    names = sorted(Ports.__dataclass_fields__, key=lambda name: not asked.get(name))
    ports = {name: settle(name, asked.get(name), known.ports.get(name), taken) for name in names}
    remember(path, replace(known, ports=ports))
    return Ports(**ports)
