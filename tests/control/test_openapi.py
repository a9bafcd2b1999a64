"""The OpenAPI document: valid, complete, and true of the server that it describes."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from control.admin import openapi
from control.admin.api import PREFIX, Asked, Operations
from control.admin.app import RESOURCES
from control.http.models import Model
from tests.fixtures_admin import AdminClient


async def document(admin: AdminClient) -> dict:  # type: ignore[type-arg]
    return dict((await admin.get("/openapi.json")).json)


async def test_the_document_is_valid_openapi_31(admin: AdminClient) -> None:
    told = await document(admin)
    assert told["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(told).validate()


async def test_every_operation_is_in_the_document_with_a_summary_and_what_it_needs(admin: AdminClient) -> None:
    told = (await document(admin))["paths"]
    for operation in (operation for resource in RESOURCES for operation in resource.declared):
        one = told[PREFIX + operation.path][operation.method.lower()]
        assert one["summary"].endswith("."), operation.key
        assert "Needs " in one["description"], operation.key


async def test_names_of_operations_are_unique(admin: AdminClient) -> None:
    told = (await document(admin))["paths"]
    names = [operation["operationId"] for methods in told.values() for operation in methods.values()]
    assert len(names) == len(set(names))


async def test_it_is_rendered_once_for_all_who_ask(admin: AdminClient, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered, render = [], openapi.render
    monkeypatch.setattr(openapi, "render", lambda operations: rendered.append(1) or render(operations))
    first, *others = await asyncio.gather(*(admin.get("/openapi.json") for _ in range(4)))
    assert all(one.body == first.body for one in others)
    assert rendered == [1]


@pytest.mark.parametrize(
    ("statuses", "fault"), [((200, 200), "its own name"), ((299,), "no status of HTTP")], ids=["twice", "status"]
)
def test_a_declaration_that_fits_no_document_is_refused_before_anybody_asks(
    statuses: tuple[int, ...], fault: str
) -> None:
    stray = Operations("stray")

    async def act_on_stray(asked: Asked) -> Model:
        """Nothing."""
        return Model()

    for number, status in enumerate(statuses):
        stray.post(f"/stray/{number}", status=status)(act_on_stray)
    with pytest.raises(ValueError, match=f"POST /stray/0: .*{fault}"):
        openapi.Document(stray.declared)


CONFIG = """
[checks.missing_required_header]
expected-statuses = [428]                    # RFC 6585 section 3: what If-Match asks for

[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429]
# Its own, and 413: a value above its limit may be above the limit of the body.

[checks.positive_data_acceptance]
enabled = false                              # rules between fields (cursor, owner and kind) no schema can tell
"""


async def test_schemathesis_finds_nothing_that_the_document_does_not_say(admin: AdminClient, tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    command = [sys.executable, "-m", "schemathesis.cli", f"--config-file={config}", "--no-color", "run"]
    command += [f"{admin.url}{PREFIX}/openapi.json", "-H", f"Authorization: Bearer {admin.token}", "--seed=1"]
    command += ["--phases=coverage,fuzzing", "--max-examples=2", "--max-time=25", "--continue-on-failure"]
    command += ["--generation-database=none"]
    run = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path
    )
    told, _ = await asyncio.wait_for(run.communicate(), 100)
    assert run.returncode == 0, told.decode()[-8000:]
