import json
import subprocess
import sys
from pathlib import Path

import pytest

from core import compiled_form
from core.compiled_form import (
    SHARED,
    STAMP,
    CompiledModules,
    DoesNotFit,
    here,
    is_used,
    stamp_of,
    take,
    take_if_wanted,
    what_is_here,
)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Two packages, and a build of them that nobody compiled."""
    for name in ("core", "proxy"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.py").write_text("ONE = 1\n")
    folder = tmp_path / ".compiled"
    (folder / "proxy").mkdir(parents=True)
    (folder / f"{SHARED}.cpython-311-x86_64-linux-gnu.so").write_bytes(b"everything")
    (folder / "proxy" / "one.cpython-311-x86_64-linux-gnu.so").write_bytes(b"a pointer")
    write(tmp_path, **stamp_of(here(tmp_path), folder, ["proxy.one"], "mypyc 9"))
    return tmp_path


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    interpreted = [one for one in sys.meta_path if not isinstance(one, CompiledModules)]
    monkeypatch.setattr(sys, "meta_path", interpreted)


def write(packages: Path, **stamp: object) -> None:
    (packages / ".compiled" / STAMP).write_text(json.dumps(stamp))


def stamp(packages: Path) -> dict[str, object]:
    return dict(json.loads((packages / ".compiled" / STAMP).read_bytes()))


def test_a_build_of_these_sources_fits(packages):
    build = what_is_here(packages)

    assert build is not None
    assert build.compiler == "mypyc 9"
    assert build.files["proxy.one"].read_bytes() == b"a pointer"


def test_where_nothing_was_compiled_there_is_no_build(tmp_path):
    assert what_is_here(tmp_path) is None
    assert not take(tmp_path)


def test_the_build_of_a_wheel_lies_under_another_name(packages):
    (packages / ".compiled").rename(packages / "archway_compiled")

    assert what_is_here(packages) is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda packages: (packages / "proxy" / "one.py").write_text("ONE = 2\n"),
        lambda packages: (packages / "core" / "other.py").write_text(""),
        lambda packages: (packages / "core" / "one.py").unlink(),
        lambda packages: (packages / "core" / "one.py").rename(packages / "core" / "two.py"),
    ],
    ids=["a text", "one more", "one less", "a name"],
)
def test_a_build_of_other_sources_does_not_fit(packages, change):
    change(packages)

    with pytest.raises(DoesNotFit, match="the sources have changed since"):
        what_is_here(packages)


@pytest.mark.parametrize("what", ["python", "machine"])
def test_a_build_for_another_python_or_machine_does_not_fit(packages, what):
    write(packages, **stamp(packages) | {what: "another"})

    with pytest.raises(DoesNotFit, match=f"it is for another {what}"):
        what_is_here(packages)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 1}', "null", '{"files": {"a": []}, "compiler": "c"}'])
def test_a_stamp_that_is_none_does_not_fit(packages, text):
    (packages / ".compiled" / STAMP).write_text(text)

    with pytest.raises(DoesNotFit, match="its stamp cannot be read"):
        what_is_here(packages)


def test_a_build_that_was_broken_off_does_not_fit(packages):
    (packages / ".compiled" / STAMP).unlink()

    with pytest.raises(DoesNotFit, match="it has no stamp"):
        what_is_here(packages)


@pytest.mark.parametrize(
    "change", [Path.unlink, lambda file: file.write_bytes(b"half")], ids=["missing", "cut short"]
)
def test_a_build_that_lacks_something_does_not_fit(packages, change):
    change(next((packages / ".compiled" / "proxy").iterdir()))

    with pytest.raises(DoesNotFit, match=r"it is not whole: proxy\.one"):
        what_is_here(packages)


def test_no_stamp_is_made_of_half_a_build(packages):
    with pytest.raises(DoesNotFit, match=r"it is not whole: proxy\.two"):
        stamp_of(here(packages), packages / ".compiled", ["proxy.one", "proxy.two"], "mypyc 9")


def test_a_build_that_cannot_be_loaded_leaves_the_sources_in_use(packages):
    environment: dict[str, str] = {}

    take_if_wanted(environment, packages)

    assert environment[compiled_form.WHY_NOT].startswith("it cannot be loaded")
    assert not is_used()


def test_a_build_that_does_not_fit_leaves_word(packages):
    (packages / "core" / "one.py").write_text("")
    environment: dict[str, str] = {}

    take_if_wanted(environment, packages)

    assert environment == {compiled_form.WHY_NOT: "the sources have changed since"}
    assert not is_used()


@pytest.mark.parametrize("said", ["0", "false", " False "])
def test_a_build_is_not_looked_at_where_it_is_not_wanted(packages, said):
    (packages / "core" / "one.py").write_text("")
    environment = {"ARCHWAY_COMPILED": said}

    take_if_wanted(environment, packages)

    assert environment == {"ARCHWAY_COMPILED": said}


@pytest.mark.parametrize("said", ["", "1", "true"])
def test_a_build_is_looked_at_where_it_is_wanted(packages, said):
    (packages / "core" / "one.py").write_text("")
    environment = {"ARCHWAY_COMPILED": said}

    take_if_wanted(environment, packages)

    assert compiled_form.WHY_NOT in environment


def test_modules_of_a_build_are_found_and_others_are_not(packages):
    build = what_is_here(packages)
    assert build is not None
    finder = CompiledModules(build.files)

    spec = finder.find_spec("proxy.one", None)

    assert spec is not None
    assert spec.origin == str(build.files["proxy.one"])
    assert finder.find_spec("proxy.two", None) is None


def test_a_process_is_interpreted_until_a_build_is_taken():
    script = "import core.compiled_form as form, sys; sys.exit(form.is_used())"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_folder_of_our_packages_is_where_they_are():
    assert (compiled_form.root() / "core" / "compiled_form.py").is_file()
