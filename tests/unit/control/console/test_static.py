"""The files of pages: what is served, how long it is kept, and that what others wrote is unchanged."""

from __future__ import annotations

import gzip
import re
import tomllib
from hashlib import sha256

import pytest
from aiohttp.test_utils import make_mocked_request

from control.console.static import FOLDER, address, files, serve

VENDORED = tomllib.loads((FOLDER / "vendored.toml").read_text())["file"]


async def served(path: str, **headers: str):
    _, _, hash_, name = path.split("/")
    request = make_mocked_request("GET", path, headers=headers, match_info={"hash": hash_, "file": name})
    return await serve(request)


async def test_a_file_under_its_hash_is_kept_for_ever() -> None:
    answer = await served(address("console.css"))
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.content_type == "text/css"
    assert answer.body == (FOLDER / "console.css").read_bytes()


async def test_a_file_under_the_hash_of_another_version_is_served_and_not_kept() -> None:
    answer = await served("/static/0123456789abcdef/console.css")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")


async def test_a_browser_that_takes_it_gets_a_compressed_one() -> None:
    answer = await served(address("console.js"), **{"Accept-Encoding": "gzip, br"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(bytes(answer.body)) == files()["console.js"].plain  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["vendored.toml", "htmx.LICENSE.txt", "../static.py", "nothing.css"])
def test_nothing_else_of_the_folder_is_served(name: str) -> None:
    assert name not in files()


@pytest.mark.parametrize("file", VENDORED, ids=lambda one: str(one["name"]))
def test_what_others_wrote_is_the_very_file_that_they_published(file: dict[str, str]) -> None:
    body = (FOLDER / file["name"]).read_bytes()
    assert sha256(body).hexdigest() == file["sha256"]
    assert file["version"] in body.decode()
    assert (FOLDER / file["license_file"]).is_file()


def test_every_script_is_ours_or_named_as_somebody_elses() -> None:
    ours = {"console.js"}
    assert {name for name in files() if name.endswith(".js")} == ours | {one["name"] for one in VENDORED}


def test_all_of_them_together_are_small() -> None:
    assert sum(len(file.compressed) for file in files().values()) < 60_000


def test_the_style_sheet_names_a_colour_in_its_properties_alone() -> None:
    rules = (FOLDER / "console.css").read_text().partition("/* Reset */")[2]
    loose = re.findall(r"#[0-9a-fA-F]{3,8}\b", re.sub(r"light-dark\([^)]*\)+", "", rules))
    assert not loose
