"""One request for a page: who looks, what the page stands on, and how it answers.

Made by `routes.py` for each request, after the permission was asked for; the pages of `pages/` get nothing else. It
gives what the admin API gives an operation: the database for reading, and a transaction in which the person changes
something.
"""

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from aiohttp import web

from control.changes.write import Write, changing, rehearsing
from control.console.forms import Form, typed
from control.console.rendering import render
from control.http.csrf import FIELD
from control.http.forms import read_form
from control.http.models import Query
from control.http.reading import checked
from control.public.deps import PublicDeps
from control.public.visitor import Visitor
from control.registry.access import Caller
from control.store.pool import Pool

Q = TypeVar("Q", bound=Query)


@dataclass(frozen=True, slots=True)
class Visit:
    """A person's request for a page of the console."""

    request: web.Request
    deps: PublicDeps
    visitor: Visitor

    @property
    def caller(self) -> Caller:
        """The person, with what they hold."""
        return self.visitor.caller

    @property
    def pool(self) -> Pool:
        """The database, for reading."""
        return self.deps.pool

    def named(self, parameter: str) -> str:
        """What stands in the path at this place."""
        return self.request.match_info[parameter]

    def query(self, model: type[Q]) -> Q:
        """The filters of a list, from the query string; those that were left empty are not given."""
        given = {name: text for name, text in self.request.query.items() if text and name != "said"}
        return checked(model, given)

    async def form(self, *, kept: Collection[str] = ()) -> Form:
        """What was sent; `kept`: fields in which blanks at both ends count. That a page of this person's own session
        sent it was checked before (`routes.py`).
        """
        given = await read_form(self.request)
        return typed({name: text for name, text in given.items() if name != FIELD}, kept)

    def changing(self) -> AbstractAsyncContextManager[Write]:
        """A transaction in which the person changes something."""
        return changing(self.deps.pool, self.caller)

    def rehearsing(self) -> AbstractAsyncContextManager[Write]:
        """The same, of which nothing is kept: what would be refused later is refused now."""
        return rehearsing(self.deps.pool, self.caller)

    def page(self, template: str, **values: Any) -> web.Response:
        """The page."""
        return render(self.request, template, **values)

    def again(self, template: str, form: Form, **values: Any) -> web.Response:
        """The page with a form that was refused, with the refusal's status."""
        return render(self.request, template, status=form.status, form=form, **values)

    def go(self, path: str, said: str = "", **query: str) -> web.Response:
        """On to another page, which says what was done: a word of `said.py`."""
        told = ({"said": said} if said else {}) | query
        location = f"{path}?{urlencode(told)}" if told else path
        return web.Response(status=303, headers={"Location": location})
