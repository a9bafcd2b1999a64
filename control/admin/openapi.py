"""The OpenAPI 3.1 document, made from the very declarations that validate requests and write answers.

Called by `control/admin/app.py`. Each operation lists every status that it can answer with, so that a tool
which checks the document against the server (schemathesis, in our tests) finds nothing that is not said.
"""

import asyncio
import inspect
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, Field
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from control.admin.api import PREFIX, Operation
from control.admin.permissions import TABLE
from control.http.models import Model
from control.registry.actions import ACTIONS

_REF = "#/components/schemas/{model}"
_ALWAYS = (400, 401, 403, 421, 422, 500, 503)
_TAKES_BODY = (408, 413, 415)
_STATUSES = frozenset(HTTPStatus)


class ProblemField(Model):
    """One field of a request that is at fault, and what to do about it."""

    field: str = Field(description="Path of the field, such as `fields[0].name`.")
    message: str


class ProblemDocument(Model):
    """A refusal, as RFC 9457 describes it: a problem document."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemField]
    request_id: str = Field(description="Also in `X-Request-Id` and in the log.")


class Document:
    """The document, served: rendered at the first request for it, since most processes get none, and then kept.

    Raises ValueError at once for what can be seen without rendering: two operations of one name, a status that HTTP
    has not. The JSON schemas of bodies, queries and answers are left to the first request: a fault in one of them is
    a logged 500 for the document alone, and the operations work, for they validate by the models themselves.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        _refuse_unfit(operations)
        self._operations = operations
        self._rendered = b""
        self._one_at_a_time = asyncio.Lock()

    async def serve(self, _request: web.Request) -> web.StreamResponse:
        """Answer `GET /openapi.json`."""
        async with self._one_at_a_time:
            if not self._rendered:
                await asyncio.to_thread(self._render)  # it takes 50 ms, in which the loop has calls to answer for
        return web.Response(body=self._rendered, content_type="application/json")

    def _render(self) -> None:
        self._rendered = render(self._operations)


def _refuse_unfit(operations: Sequence[Operation]) -> None:
    names = Counter(operation.function.__name__ for operation in operations)
    for operation in operations:
        name = operation.function.__name__
        if names[name] > 1:
            raise ValueError(
                f"{operation.key}: another operation is called {name} too; give its function its own name"
            )
        if operation.status not in _STATUSES:
            raise ValueError(f"{operation.key}: {operation.status} is no status of HTTP; declare one that is")


def render(operations: Sequence[Operation]) -> bytes:
    """The document as JSON."""
    schemas, definitions = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Archway admin API",
            "version": "1.0.0",
            "description": "Users, teams, tokens, the registry of MCP servers and the gateways that present them.",
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "responses": {str(status): _refusal(status, schemas) for status in _statuses(operations)},
        },
    }
    return orjson.dumps(document)


Schemas = Mapping[tuple[type[BaseModel], JsonSchemaMode], dict[str, Any]]


def _schemas(operations: Iterable[Operation]) -> tuple[Schemas, dict[str, Any]]:
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(ProblemDocument, "serialization"): None}
    for operation in operations:
        if operation.body is not None:
            wanted[operation.body, "validation"] = None
        if operation.answer is not None:
            wanted[operation.answer, "serialization"] = None
    references, definitions = models_json_schema(list(wanted), ref_template=_REF)
    return {one: references[one] for one in wanted}, definitions["$defs"]


def _operation(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    summary, _, rest = (inspect.getdoc(operation.function) or operation.function.__name__).partition("\n")
    opens, *more = TABLE[operation.key]
    needs = f"Needs `{opens}`: {ACTIONS[opens].meaning}." + "".join(f" A part needs `{one}` too." for one in more)
    told: dict[str, Any] = {
        "operationId": operation.function.__name__,
        "tags": [operation.tag],
        "summary": summary,
        "description": f"{rest.strip()}\n\n{needs}".strip(),
        "x-permissions": [opens, *more],
        "parameters": _parameters(operation),
        "responses": _responses(operation, schemas),
    }
    if operation.body is not None:
        schema = schemas[operation.body, "validation"]
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return told


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found = _parameters_in("path", operation.parameters)
    if operation.query is not None:
        found += _parameters_in("query", operation.query)
    if operation.if_match:
        found.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": True,
                "description": "ETag of what was read, or `*` for whatever it is now.",
                "schema": {"type": "string", "pattern": r'^("[1-9][0-9]{0,8}"|\*)$'},
            }
        )
    return found


def _parameters_in(place: str, model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema(ref_template=_REF)
    required = schema.get("required", [])
    return [_parameter(place, name, one, name in required) for name, one in schema.get("properties", {}).items()]


def _parameter(place: str, name: str, schema: dict[str, Any], required: bool) -> dict[str, Any]:
    # `str | None` is how a model says "may be left out"; a query string cannot say null.
    choices = [choice for choice in schema.pop("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        schema |= choices[0]
    elif choices:
        schema["anyOf"] = choices
    if schema.get("default", ...) is None:
        del schema["default"]
    schema.pop("title", None)
    description = {"description": schema.pop("description")} if "description" in schema else {}
    return {"name": name, "in": place, "required": required, "schema": schema} | description


def _responses(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    success: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.answer is not None:
        success["content"] = {operation.media: {"schema": schemas[operation.answer, "serialization"]}}
        if "version" in operation.answer.model_fields:
            success["headers"] = {"ETag": {"schema": {"type": "string"}}}
    elif operation.status != 204:
        success["content"] = {operation.media: {}}
    refusals = {str(status): {"$ref": f"#/components/responses/{status}"} for status in refusals_of(operation)}
    return {str(operation.status): success} | refusals


def refusals_of(operation: Operation) -> list[int]:
    """Every status that an operation may refuse with."""
    found = {*_ALWAYS}
    if "{" in operation.path:
        found.add(404)
    if operation.method != "GET":
        found |= {404, 409}
    if operation.body is not None:
        found |= {*_TAKES_BODY}
    if operation.if_match:
        found |= {412, 428}
    return sorted(found)


def _statuses(operations: Iterable[Operation]) -> list[int]:
    return sorted({status for operation in operations for status in refusals_of(operation)})


def _refusal(status: int, schemas: Schemas) -> dict[str, Any]:
    schema = schemas[ProblemDocument, "serialization"]
    return {
        "description": HTTPStatus(status).phrase,
        "content": {"application/problem+json": {"schema": schema}},
    }
