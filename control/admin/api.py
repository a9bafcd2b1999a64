"""Operations of the admin API: declared once, on a typed function, for the handler and the OpenAPI document alike.

    operations = Operations("teams")

    @operations.patch("/teams/{team_id}")
    async def change_team(asked: Asked, team_id: Id, body: TeamChange) -> TeamView:
        "Rename a team or change its description."

Parameters named in the path are read from it; `body` is a `Model`, `query` a `Query`; what is returned is a `Model`
(None: 204; an async iterator of bytes: streamed, `media` says what). A model with `version` gets an ETag, and PATCH,
PUT and DELETE need `If-Match`, which the function hands on as `asked.version`.
`permissions.TABLE` needs a row for each. Who calls is settled before (`caller.py`), refusals after
(`control/http/answering.py`).
"""

import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_type_hints

from aiohttp import web
from pydantic import BaseModel, create_model

from control.admin import permissions
from control.admin.deps import Deps
from control.changes.write import Write, changing
from control.http.concurrency import etag, required_version
from control.http.models import Model, Query
from control.http.reading import read_body, read_path, read_query
from control.http.streaming import stream
from control.registry.access import Caller
from control.store.pool import Pool

PREFIX = "/api/v1"
DEPS: web.AppKey[Deps] = web.AppKey("deps", Deps)
CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)
_PARAMETER = re.compile(r"\{(\w+)\}")
_IF_MATCH = frozenset({"PATCH", "PUT", "DELETE"})
F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


@dataclass(frozen=True, slots=True)
class Asked:
    """What an operation knows of its caller. Nothing of HTTP is in it, so that others can call it too."""

    deps: Deps
    caller: Caller
    version: int | None = None
    """What `If-Match` asks for; None for any, and where the operation needs none."""

    @property
    def pool(self) -> Pool:
        """The database, for reading."""
        return self.deps.pool

    def changing(self) -> AbstractAsyncContextManager[Write]:
        """A transaction in which the caller changes something."""
        return changing(self.deps.pool, self.caller)


@dataclass(frozen=True, slots=True)
class Operation:
    """One declared operation of the admin API: its method, its path, and the function that answers it."""

    method: str
    path: str
    """Below the prefix, parameters in braces."""
    tag: str
    function: Callable[..., Awaitable[Any]]
    status: int
    parameters: type[BaseModel]
    query: type[Query] | None
    body: type[Model] | None
    answer: type[BaseModel] | None
    media: str
    if_match: bool

    @property
    def key(self) -> str:
        """Its name in the table of permissions."""
        return f"{self.method} {self.path}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request: check the permission, read the request, call the function, write the answer."""
        caller, path = request[CALLER], dict(request.match_info)
        permissions.check(self.key, caller, path)
        given: dict[str, Any] = read_path(self.parameters, path)
        version = required_version(request) if self.if_match else None
        if self.query is not None:
            given["query"] = read_query(self.query, request)
        else:
            read_query(Query, request)
        if self.body is not None:
            given["body"] = await read_body(self.body, request)
        result = await self.function(Asked(request.app[DEPS], caller, version), **given)
        if isinstance(result, AsyncIterator):
            return await stream(request, result, self.media)
        return self._answer(request, result)

    def _answer(self, request: web.Request, result: BaseModel | None) -> web.Response:
        if result is None:
            return web.Response(status=204)
        answer = web.Response(status=self.status, text=result.model_dump_json(), content_type="application/json")
        version = getattr(result, "version", None)
        if version is not None:
            answer.headers["ETag"] = etag(version)
        if self.status == 201:
            answer.headers["Location"] = f"{request.path}/{getattr(result, 'id', '')}"
        return answer


@dataclass(slots=True)
class Operations:
    """The operations of one resource, in the order of their declaration."""

    tag: str
    declared: list[Operation] = field(default_factory=list)

    def get(self, path: str, *, media: str = "application/json") -> Callable[[F], F]:
        """Declare an operation that reads."""
        return self._declare("GET", path, 200, media)

    def post(self, path: str, *, status: int = 201) -> Callable[[F], F]:
        """Declare an operation that creates (201), or acts (say 200)."""
        return self._declare("POST", path, status)

    def put(self, path: str, *, if_match: bool = True) -> Callable[[F], F]:
        """Declare an operation that sets an object whole."""
        return self._declare("PUT", path, 200, if_match=if_match)

    def patch(self, path: str) -> Callable[[F], F]:
        """Declare an operation that changes the fields that the body names."""
        return self._declare("PATCH", path, 200)

    def delete(self, path: str, *, if_match: bool = True) -> Callable[[F], F]:
        """Declare an operation that deletes."""
        return self._declare("DELETE", path, 204, if_match=if_match)

    def _declare(
        self, method: str, path: str, status: int, media: str = "application/json", *, if_match: bool = True
    ) -> Callable[[F], F]:
        def declare(function: F) -> F:
            needs_match = if_match and method in _IF_MATCH
            self.declared.append(_operation(method, path, self.tag, function, status, media, needs_match))
            return function

        return declare


def _operation(
    method: str, path: str, tag: str, function: Callable[..., Awaitable[Any]], status: int, media: str, match: bool
) -> Operation:
    hints = get_type_hints(function, include_extras=True)
    names = _PARAMETER.findall(path)
    known = {"asked", "body", "query", "return", *names}
    strange = set(inspect.signature(function).parameters) - known
    assert not strange, f"{function.__name__}: {strange} is neither in the path, nor `query`, nor `body`"
    fields: Mapping[str, Any] = {name: (hints[name], ...) for name in names}
    parameters = create_model(f"{function.__name__}_path", **fields)
    answer = hints.get("return")
    is_model = isinstance(answer, type) and issubclass(answer, BaseModel)
    return Operation(
        method, path, tag, function, 204 if answer is type(None) else status, parameters,
        hints.get("query"), hints.get("body"), answer if is_model else None, media, match,
    )  # fmt: skip
