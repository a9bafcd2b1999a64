"""The cluster as another user (root without user namespaces), and what is refused; the usual way is in tests/up."""

import os
import tempfile
import time
from pathlib import Path

import pytest

from archway.up import postgres
from archway.up.ports import free_port
from archway.up.postgres_binaries import NoPostgres, find_postgres, major_version
from archway.up.state import open_state
from core.children.child import Child
from core.children.guard import AS_WE_ARE
from core.children.run_as import OTHER_USER


async def test_a_cluster_is_made_and_answers_where_no_user_namespace_is_granted(tmp_path):
    state = open_state(tmp_path / "state")
    # Not under tmp_path: the folders above that one are entered by their owner alone.
    home = Path(tempfile.gettempdir()) / f"archway-home-{os.getpid()}"
    way = OTHER_USER if os.geteuid() == 0 else AS_WE_ARE

    try:
        cluster = postgres.prepare(state, "secret-word", home, way)
        child = Child(postgres.server(state, cluster, free_port()))
        await child.start()
        assert child.pid is not None
        await child.stop()
    finally:
        _remove(home)


def test_data_of_another_major_version_is_refused_with_the_cure(tmp_path):
    cluster = postgres.Cluster(tmp_path, find_postgres(), "-")
    (tmp_path / "PG_VERSION").write_text("9\n")

    with pytest.raises(postgres.PostgresFailed, match=r"made by PostgreSQL 9, .* PG_BIN"):
        postgres._refuse_other_version(cluster)


def test_a_lock_from_before_this_machine_started_is_dropped(tmp_path):
    lock = tmp_path / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n/data\n1000000000\n")

    postgres._drop_stale_lock(tmp_path)

    assert not lock.exists()


def test_a_lock_of_this_boot_is_left_to_postgresql(tmp_path):
    lock = tmp_path / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n/data\n{int(time.time())}\n")

    postgres._drop_stale_lock(tmp_path)

    assert lock.exists()


def test_the_embedded_programs_are_new_enough():
    assert major_version(find_postgres()) >= 15


def test_a_machine_without_postgresql_is_told_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("archway.up.postgres_binaries._candidates", lambda: iter([tmp_path]))

    with pytest.raises(NoPostgres, match="apt-get install -y postgresql"):
        find_postgres()


def _remove(home):
    import shutil

    shutil.rmtree(home, ignore_errors=True)
