import json
import os
from pathlib import Path

import pytest

from bridge.packages import packages_of


@pytest.fixture
def npm(tmp_path):
    """What `npx` makes: a folder of its cache, with a script behind a link."""

    def made(name="@scope/files", told=None):
        modules = tmp_path / "_npx" / "0123456789abcdef" / "node_modules"
        folder = modules / name
        (folder / "dist").mkdir(parents=True)
        (folder / "dist" / "index.js").write_text("")
        (folder / "package.json").write_text(told or json.dumps({"name": name, "version": "2026.7.10"}))
        (modules / ".bin").mkdir(exist_ok=True)
        script = modules / ".bin" / "mcp-files"
        script.symlink_to(folder / "dist" / "index.js")
        return str(script)

    return made


@pytest.fixture
def uv(tmp_path):
    """What `uvx` makes: an environment in its cache."""
    environment = tmp_path / "archive-v0" / "AbCdEf"
    (environment / "bin").mkdir(parents=True)
    (environment / "pyvenv.cfg").write_text("")
    for name in ("python", "mcp-server-time", "httpx"):
        (environment / "bin" / name).write_text("")
    installed = environment / "lib" / "python3.12" / "site-packages"
    for folder, points in {
        "httpx-0.28.1": "[console_scripts]\nhttpx = httpx:main\n",
        "mcp_server_time-2026.10.19": "[console_scripts]\nmcp-server-time = mcp_server_time:main\n\n[x]\ny = z\n",
        "broken-1": "no section = 1",
    }.items():
        (installed / f"{folder}.dist-info").mkdir(parents=True)
        (installed / f"{folder}.dist-info" / "entry_points.txt").write_text(points)
    return environment / "bin"


def test_a_script_of_npm_is_of_the_package_in_whose_folder_it_lies(npm):
    assert [*packages_of(["node", npm(), "stdio"])] == [("@scope/files", "2026.7.10")]


def test_a_script_of_python_is_of_the_package_that_has_it_as_an_entry_point(uv):
    command = [str(uv / "python"), str(uv / "mcp-server-time"), "--local-timezone", "UTC"]
    assert [*packages_of(command)] == [("mcp-server-time", "2026.10.19")]


@pytest.mark.parametrize("name", ["npm", "npx"])
def test_what_only_fetches_others_is_left_out(npm, name):
    assert [*packages_of(["node", npm(name), "-y", "files"])] == []


@pytest.mark.parametrize(
    "told", ["", "[]", "{}", '{"name": 1, "version": "1"}', '{"name": "files", "version": ""}', "[" * 100_000,
             json.dumps({"name": "files", "version": "1\n2"}), json.dumps({"name": "x" * 201, "version": "1"})],
)  # fmt: skip
def test_what_a_package_should_not_say_of_itself_is_left_out(npm, told):
    assert [*packages_of(["node", npm(told=told or "x")])] == []


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(npm):
    script = Path(npm())
    told = script.resolve().parents[1] / "package.json"
    told.unlink()
    os.mkfifo(told)
    assert [*packages_of(["node", str(script)])] == []


def test_words_that_are_no_scripts_of_packages_are_none(tmp_path, uv):
    (uv.parent / "pyvenv.cfg").unlink()
    loose = tmp_path / "server.py"
    loose.write_text("")
    assert [*packages_of(["sh", "-c", "x", str(loose), "/nowhere", "/", str(uv / "mcp-server-time")])] == []
