"""Bodies of the admin API for egress presets. What a destination is, is judged in `core/egress/destinations.py`."""

from typing import Annotated

from pydantic import Field as Bound

from control.admin.environment_models import Cidrs, Domains, Ports
from control.http.models import Change, Item, Model, Moment, Name
from control.http.paging import NamedPageQuery


class EgressPresetFields(Model):
    """Fields of an egress preset that are set and shown."""

    name: Name
    description: Annotated[str, Bound(max_length=1000)] = ""
    cidrs: Cidrs = Bound(default_factory=list)
    domains: Domains = Bound(default_factory=list)
    ports: Ports = Bound(["443"])


class NewEgressPresetBody(EgressPresetFields):
    """A new egress preset, which no environment names yet."""


class EgressPresetChange(EgressPresetFields, Change):
    """What changes of an egress preset: the fields that are named; lists are replaced whole."""


class EgressPresetView(EgressPresetFields, Item):
    """An egress preset as it is shown."""

    created_at: Moment
    updated_at: Moment
    version: int


class EgressPresetQuery(NamedPageQuery):
    """Filters of the list of egress presets."""

    name: Annotated[str | None, Bound(max_length=128)] = None
