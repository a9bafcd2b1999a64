"""Environments on the command line: where entries are put, some of them restricted."""

import time
from dataclasses import replace
from typing import Annotated, Any, Final

import typer

from archway.admin.commands import commands, explained
from archway.admin.connection import connect
from archway.admin.form import Form, with_form
from archway.admin.lookup import find
from archway.admin.names import with_egress
from archway.admin.resource import Kind, Option, Resource, in_parts
from archway.admin.show import show_list, show_one
from archway.options import DEFAULT_STATE, State

_WAIT_S: Final = 300.0
"""For a probe: a node may have to pull the image first."""
_LOOK_EVERY_S: Final = 2.0
_CIDR, _DOMAIN = "A network that its servers may reach, such as 203.0.113.0/24", "A host that they may reach"
_REGISTRY = "A registry that images must come from, such as registry.example.com/team"


def _egress(member: str, flag: str, what: str, kind: Kind = "text") -> Option:
    return Option("egress", f"{what}.", kind, flag=flag, member=member)


def _quota(member: str, what: str, kind: Kind = "text") -> Option:
    return Option("quota", f"At most, of one team: {what}.", kind, flag=f"quota_{member}", member=member)


def _resources(member: str, what: str) -> Option:
    return Option("resources", f"Of entries that do not say it: {what}.", flag=member, member=member)


_FIELDS = (
    Option("name", "Unique name, for people.", needed=True),
    Option(
        "restricted",
        "Whether only who holds environment:deploy-to-restricted puts entries into it, and takes them out.",
        "flag",
    ),
    Option("namespace", "The cluster's namespace in which its servers run; '' for the deployment's own."),
    replace(
        _egress("mode", "egress", "What its servers may reach: off, all or restricted, which is what is named; "
                "'' for no policy"),
        empties=True,
    ),
    _egress("cidrs", "cidr", f"{_CIDR}, with --egress restricted; ALL of them, may be repeated", "list"),
    _egress(
        "domains", "domain", f"{_DOMAIN}, such as api.example.com or *.example.com; ALL of them, may be repeated",
        "list",
    ),
    _egress("ports", "port", "A port of these, 443 or 5432-5440; ALL of them, may be repeated", "list"),
    Option(
        "presets", "An egress preset, whose destinations are allowed too; may be repeated.", "references",
        of="egress_preset", flag="preset",
    ),
    Option(
        "node_selector", "A label, NAME=VALUE, of the nodes that its servers run on; may be repeated.", "map",
        flag="node_label",
    ),
    Option(
        "tolerations", 'JSON: taints that its servers tolerate, [{"key": "gpu", "operator": "Exists"}]; [] for the '
        "deployment's.", "json", example='[{"key": "gpu", "operator": "Exists"}]',
    ),
    _resources("cpu", "processors set aside for a server, such as 100m"),
    _resources("cpu_limit", "processors that one may use at most, such as 2"),
    _resources("memory", "memory set aside for a server, such as 128Mi"),
    _resources("memory_limit", "memory above which one is ended, such as 1Gi"),
    Option(
        "image_registries", f"{_REGISTRY}; may be repeated. None: from anywhere.", "list", flag="image_registry"
    ),
    _quota("servers", "installations whose server runs there; 0 for any number", "number"),
    _quota("cpu", "processors set aside for them in all; '' for no limit"),
    _quota("memory", "memory limits of them in all; '' for no limit"),
)  # fmt: skip
_PARTS = (
    *in_parts("egress", "cidr", "list", f"{_CIDR}, with --egress restricted", member="cidrs"),
    *in_parts("egress", "domain", "list", f"{_DOMAIN}, such as api.example.com or *.example.com", member="domains"),
    *in_parts("egress", "port", "list", "A port of these, 443 or 5432-5440", member="ports"),
    *in_parts("presets", "preset", "references", "An egress preset", of="egress_preset"),
    *in_parts("node_selector", "node_label", "map", "A label, NAME=VALUE, of the nodes that its servers run on"),
    *in_parts("image_registries", "image_registry", "list", _REGISTRY),
)
_IN_PARTS = {one.field for one in _PARTS}
_CHANGES = (*(one for one in _FIELDS if one.field not in _IN_PARTS), *_PARTS)

ENVIRONMENT = Resource(
    name="environments",
    one="environment",
    path="/environments",
    help="Where entries are put. Into a restricted one only by those who hold a permission for it.",
    columns=("name", "restricted", "namespace", "egress_mode", "id"),
    for_people=with_egress,
    names=("name",),
    filters=(Option("name", "Only the one of this name, in whatever case."),),
    create=_FIELDS,
    update=_CHANGES,
    examples={
        "create": (
            "archway environments create --name Staging",
            "archway environments create --name Production --restricted",
            "archway environments create --name Payments --egress restricted --domain api.example.com --preset npm "
            "--image-registry registry.example.com/payments --quota-servers 20",
        ),
        "list": ("archway environments list",),
        "show": ("archway environments show Production",),
        "update": (
            "archway environments update Staging --restricted",
            "archway environments update Payments --add-preset GitHub --add-domain api.example.com --cidr ''",
        ),
        "delete": ("archway environments delete Staging",),
    },
)
ENVIRONMENTS = commands(ENVIRONMENT)


@ENVIRONMENTS.command("usage")
@with_form
def usage(
    environment: Annotated[str, typer.Argument(help="The environment's name or id.")],
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Show how much of an environment's quota each team uses; what belongs to no team counts as one.

    [bold]Example[/bold]

      archway environments usage Production
    """
    with explained():
        api = connect(state)
        told = api.get(f"/environments/{find(api, 'environment', environment)}/usage")
        if form.for_programs:
            show_one(told, form)
            return
        at_most = {"team": "at most, each", **{name: value or "no limit" for name, value in told["quota"].items()}}
        rows = [{**one, "team": one["team"] or "no team"} for one in told["items"]]
        show_list([*rows, at_most], ("team", "servers", "cpu", "memory"), form)


@ENVIRONMENTS.command("probe")
@with_form
def probe(
    environment: Annotated[str, typer.Argument(help="Its name or id.")],
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Probe now whether the egress policy of an environment holds, and show what that says, for each kind of rule.

    It waits for that, for five minutes at most, and ends with 1 unless all of them are enforced.

    [bold]Example[/bold]

      archway environments probe Payments
    """
    with explained():
        api = connect(state)
        path = f"/environments/{find(api, 'environment', environment)}"
        found: list[dict[str, Any]] = api.post(f"{path}/probe")["enforcement"]
        before = {one["kind"]: one["probed_at"] for one in found}
        end = time.monotonic() + _WAIT_S
        while any(one["probed_at"] in {None, before.get(one["kind"])} for one in found) and time.monotonic() < end:
            time.sleep(_LOOK_EVERY_S)
            found = api.get(path)["enforcement"]
        show_list(found, ("kind", "state", "reason", "probed_at"), form)
    if any(one["state"] != "enforced" for one in found):
        raise typer.Exit(1)
