"""The embedded PostgreSQL: a real server on a loopback port, with a password, its data in the state folder.

`prepare` makes the cluster once (initdb, about half a second); `server` is what is kept running then.
The wheel's own Python layer is not used: as root it adds a system user and opens folders to everybody, and it
forgets servers whose user was killed.
"""

import os
import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from archway.up.answers import postgres_answers
from archway.up.ports import LOOPBACK
from archway.up.postgres_binaries import find_postgres, major_version
from archway.up.postgres_home import copy_programs, make_home
from archway.up.state import StateFolder
from core.children.guard import guarded
from core.children.program import Program
from core.children.run_as import OTHER_USER, give, way_to_run

USER = "archway"
_INITDB_DEADLINE_S = 120


class PostgresFailed(Exception):
    """The cluster cannot be made or used."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where one cluster lies and how its programs are run."""

    data: Path
    programs: Path
    run_as: str

    def command(self, port: int) -> tuple[str, ...]:
        """The server: TCP on loopback only, no socket file."""
        return (str(self.programs / "postgres"), "-D", str(self.data), "-h", LOOPBACK, "-p", str(port), "-k", "")


def prepare(state: StateFolder, password: str, home: Path, run_as: str | None = None) -> Cluster:
    """The cluster of this state, made at the first start. Blocks for a second then; raises PostgresFailed.

    `home` is used only where PostgreSQL runs as another user (postgres_home.py).
    """
    run_as = run_as or way_to_run()
    programs, place = find_postgres(), state.root
    if run_as == OTHER_USER:
        make_home(home)
        programs, place = copy_programs(programs, home), home
    cluster = Cluster(place / "postgres", programs, run_as)
    if not (cluster.data / "PG_VERSION").exists():
        _make(cluster, password)
    _refuse_other_version(cluster)
    _drop_stale_lock(cluster.data)
    return cluster


def server(state: StateFolder, cluster: Cluster, port: int) -> Program:
    """The running server."""
    return Program(
        name="postgres",
        title="PostgreSQL",
        command=cluster.command(port),
        environment={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
        log=state.log_of("postgres"),
        record=state.record_of("postgres"),
        ready=lambda: postgres_answers(LOOPBACK, port),
        stop=signal.SIGINT,  # the fast, clean stop
        run_as=cluster.run_as,
        grace_s=20.0,
        tries=60,  # a dying predecessor holds the folder until its last process has gone
    )


def url(port: int, password: str) -> str:
    """What ARCHWAY_DATABASE_URL would say."""
    return f"postgresql://{USER}:{password}@{LOOPBACK}:{port}/postgres"


def new_password() -> str:
    """A password that needs no quoting anywhere."""
    return secrets.token_urlsafe(24)


def _make(cluster: Cluster, password: str) -> None:
    # Into a draft that is renamed when it is whole: a kill in the middle leaves nothing that looks like a cluster.
    draft = cluster.data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password_file = draft.with_name("postgres.password")
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    if cluster.run_as == OTHER_USER:
        give(draft)
        give(password_file)
    try:
        _initdb(cluster, draft, password_file)
    finally:
        password_file.unlink(missing_ok=True)
    draft.rename(cluster.data)


def _initdb(cluster: Cluster, draft: Path, password_file: Path) -> None:
    # From version 17 on case rules and ordering come from the server itself, equal on every system.
    locale = ["--locale=C.UTF-8"]
    if major_version(cluster.programs) >= 17:
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command = [cluster.programs / "initdb", "-D", draft, "-U", USER, "-E", "UTF8", "-A", "scram-sha-256"]
    command += ["--pwfile", password_file, "--no-instructions", *locale]
    with subprocess.Popen(
        guarded([*map(str, command)], run_as=cluster.run_as, grace_s=2),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, cwd="/",
    ) as made:  # fmt: skip
        assert made.stdout is not None
        try:
            made.wait(_INITDB_DEADLINE_S)
        except subprocess.TimeoutExpired:
            made.kill()
        said = made.stdout.read().decode(errors="replace")
    if made.returncode:
        raise PostgresFailed(f"initdb could not make the database in {cluster.data}:\n{said[-1500:]}")


def _refuse_other_version(cluster: Cluster) -> None:
    kept, have = int((cluster.data / "PG_VERSION").read_text()), major_version(cluster.programs)
    if kept != have:
        raise PostgresFailed(
            f"{cluster.data} was made by PostgreSQL {kept}, and {cluster.programs} is version {have}; name the "
            f"program folder of version {kept} in PG_BIN, or move the data with pg_dump"
        )


def _drop_stale_lock(data: Path) -> None:
    """Remove a `postmaster.pid` from before this machine or container started.

    PostgreSQL takes it for valid whenever some process of ours has the pid now, which after a restart is likely. No
    server process can be older than process 1, so this removes nothing that a living one needs.
    """
    lock, began = data / "postmaster.pid", _first_process_began()
    try:
        written = int(lock.read_text().splitlines()[2])
    except (FileNotFoundError, IndexError, ValueError):
        return
    if began is not None and written < began - 2:
        lock.unlink(missing_ok=True)


def _first_process_began() -> float | None:
    try:
        stat = Path("/proc/1/stat").read_bytes()
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return None
    ticks = int(stat[stat.rindex(b")") + 2 :].split()[19])
    return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")
