"""Bodies of the admin API for environments."""

from typing import Annotated

from pydantic import Field as Bound

from control.http.models import Change, Item, Model, Moment, Name
from control.http.paging import NamedPageQuery


class EnvironmentFields(Model):
    """Fields of an environment that are set and shown."""

    name: Name
    restricted: bool = Bound(
        False, description="Whether only who holds `environment:deploy-to-restricted` puts entries into it."
    )


class NewEnvironment(EnvironmentFields):
    """A new environment, which nothing is in yet."""


class EnvironmentChange(EnvironmentFields, Change):
    """What changes of an environment: the fields that are named."""


class EnvironmentView(EnvironmentFields, Item):
    """An environment as it is shown."""

    created_at: Moment
    updated_at: Moment
    version: int


class EnvironmentQuery(NamedPageQuery):
    """Filters of the list of environments."""

    name: Annotated[str | None, Bound(max_length=128)] = None
