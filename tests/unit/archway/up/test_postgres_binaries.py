import pytest

from archway.up.postgres_binaries import NoPostgres, find_postgres


def test_a_folder_that_was_named_and_has_no_postgresql_is_refused_and_no_other_taken(monkeypatch, tmp_path):
    monkeypatch.setenv("PG_BIN", str(tmp_path))

    with pytest.raises(NoPostgres, match=f"PG_BIN is {tmp_path}"):
        find_postgres()
