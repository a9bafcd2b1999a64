"""Builds the commands of one resource: list, show, create, update, delete and its actions.

A command's options come from the resource's description, so that its `--help` names every field. Errors of the API
are printed with the fields that they name, and end the command with status 1.
"""

import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from archway.admin.body import BadOption, body_of, read
from archway.admin.completion import offering
from archway.admin.connection import NoApi, connect, where_taken_from
from archway.admin.follow import News, follow
from archway.admin.form import Form, form_of, form_parameters
from archway.admin.lists import NotInPart, removed
from archway.admin.lookup import NotNamed, find, find_in
from archway.admin.nouns import one_of, several
from archway.admin.problem_text import problem_text
from archway.admin.resource import Action, Option, Resource
from archway.admin.show import show_list, show_one
from archway.admin.unquoted import UrlAware
from archway.admin_client import AdminApi, Problem, Unreachable
from archway.options import DEFAULT_STATE, State, refuse

Body = Annotated[
    str | None, typer.Option("--body", help="A file with the whole body as JSON or YAML; - reads standard input.")
]
FromEnvironment = Annotated[
    list[str] | None, typer.Option("--value-from-env", help="name=VARIABLE: a secret value from the environment.")
]
_TYPES: dict[str, Any] = {"number": float, "flag": bool, "list": list[str], "map": list[str], "references": list[str]}
_TYPES |= {"secrets": list[str], "prompt": bool}


def commands(resource: Resource) -> typer.Typer:
    """The sub-commands of `archway <resource>`."""
    group = typer.Typer(help=resource.help, no_args_is_help=not resource.listed_alone)
    _add(group, resource, "list", _list(resource), f"List {several(resource.one)}.")
    if resource.listed_alone:
        group.callback(invoke_without_command=True, help=resource.help + _examples(resource, ""))(
            _alone(_list(resource))
        )
    if resource.show:
        _add(group, resource, "show", _show(resource), f"Show one {resource.one}.")
    if resource.create:
        _add(group, resource, "create", _create(resource), f"Make a new {resource.one}.")
    if resource.update:
        _add(group, resource, "update", _update(resource), f"Change {one_of(resource.one)}; other fields stay.")
    if resource.delete:
        _add(group, resource, "delete", _delete(resource), f"Delete {one_of(resource.one)}.")
    for action in resource.actions:
        _add(group, resource, action.name, _act(resource, action), action.help)
    return group


def _list(resource: Resource) -> Callable[..., None]:
    def run(api: AdminApi, form: Form, **given: Any) -> None:
        query = {
            option.name: read(api, option, given[option.flag or option.name])
            for option in resource.filters
            if given.get(option.flag or option.name) is not None
        }
        if given.get("follow"):
            if form is Form.YAML:
                raise BadOption("--follow prints a table, or with --json one object a line")
            news = News(api, _path(api, resource, given), query)
            follow(news, resource.columns, form, lambda items: _for_people(api, resource, items, form))
        limit = int(given["limit"])
        items = list(itertools.islice(api.pages(_path(api, resource, given), **query), limit))
        show_list(_for_people(api, resource, items, form), resource.columns, form)
        if resource.after_list is not None and not form.for_programs and (told := resource.after_list(items)):
            typer.echo(told)

    own = [_parameter("limit", int, typer.Option("--limit", min=1, help="Show at most this many."), 1000)]
    if resource.follow:
        words = (
            "Show the last, and go on as new ones come, oldest first, until Ctrl-C; --limit is for lists that end."
        )
        own.append(_parameter("follow", bool, typer.Option("--follow", "-f", help=words), False))
    return _command(run, resource, [*_parent(resource), *(_option(one) for one in resource.filters), *own])


def _alone(command: Callable[..., None]) -> Callable[..., None]:
    """The command, to be run by its group when no sub-command is typed."""

    def run(context: typer.Context, **given: Any) -> None:
        if context.invoked_subcommand is None:
            command(**given)

    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    every = [context, *inspect.signature(command).parameters.values()]
    run.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined] # typer reads it
    run.__annotations__ = {one.name: one.annotation for one in every}
    return run


def _show(resource: Resource) -> Callable[..., None]:
    def run(api: AdminApi, form: Form, **given: Any) -> None:
        _present(api, resource, api.get(_item(api, resource, given)), form)

    return _command(run, resource, [_which(resource), *_parent(resource)])


def _create(resource: Resource) -> Callable[..., None]:
    def run(api: AdminApi, form: Form, **given: Any) -> None:
        body = body_of(api, resource.create, given, given["body"])
        made = api.post(_path(api, resource, given), body)
        warn(made)
        if isinstance(made.get("items"), list) and not form.for_programs:
            show_list(_for_people(api, resource, made["items"], form), resource.columns, form)
            return
        _present(api, resource, made, form, told=("warnings",))
        if resource.after_create and not form.for_programs:
            typer.echo(resource.after_create(made))
        _refuse_unready(resource, made)

    return _command(run, resource, [*_parent(resource), *_fields(resource.create, needed=True)])


def _update(resource: Resource) -> Callable[..., None]:
    def run(api: AdminApi, form: Form, **given: Any) -> None:
        path = _item(api, resource, given, resource.spent)
        before, version = api.read(path)
        body = body_of(api, resource.update, given, given["body"], before)
        if not body:
            raise BadOption("nothing to change; see --help for the options")
        after = api.patch(path, body, version)
        for line in removed(api, resource.update, given, before, after):
            typer.echo(line, err=True)
        warn(after)
        _present(api, resource, after, form, told=("warnings",))
        if resource.made_ready_by & body.keys():
            _refuse_unready(resource, after)

    return _command(run, resource, [_which(resource), *_parent(resource), *_fields(resource.update)])


def _delete(resource: Resource) -> Callable[..., None]:
    def run(api: AdminApi, form: Form, **given: Any) -> None:
        path = _item(api, resource, given)
        api.delete(path, cascade="true" if given.get("cascade") else None)
        identifier = path.rpartition("/")[2]
        named = {} if form.for_programs or given["which"] == identifier else {"deleted": given["which"]}
        show_one({"deleted": identifier} | ({**named, "id": identifier} if named else {}), form)

    option = typer.Option("--cascade", help="Delete what depends on it too.")
    cascade = [_parameter("cascade", bool, option, False)] if resource.cascade else []
    return _command(run, resource, [_which(resource), *_parent(resource), *cascade])


def _act(resource: Resource, action: Action) -> Callable[..., None]:
    def run(api: AdminApi, form: Form, **given: Any) -> None:
        answer = api.post(f"{_item(api, resource, given)}/{action.name}")
        if answer:
            _present(api, resource, answer, form)
        elif form.for_programs:
            show_one(answer, form)
        else:
            typer.echo(action.done)
        if action.failed is not None and (why := action.failed(answer)):
            raise refuse(why)
        _refuse_unready(resource, answer)

    return _command(run, resource, [_which(resource), *_parent(resource)])


def _path(api: AdminApi, resource: Resource, given: dict[str, Any]) -> str:
    if resource.parent is None:
        return resource.path
    return resource.path.replace("{parent}", find(api, resource.parent.of, given[resource.parent.name]))


def _item(
    api: AdminApi,
    resource: Resource,
    given: dict[str, Any],
    spent: Callable[[Mapping[str, Any]], bool] | None = None,
) -> str:
    path = _path(api, resource, given)
    see = f"archway {resource.name} list"
    if resource.parent is not None:
        see += f" {resource.parent.option} {given[resource.parent.name]}"
    return f"{path}/{find_in(api, path, resource.names, given['which'], resource.one, see, spent=spent)}"


def _for_people(api: AdminApi, resource: Resource, items: list[dict[str, Any]], form: Form) -> list[dict[str, Any]]:
    return items if form.for_programs or resource.for_people is None else resource.for_people(api, items)


def _present(api: AdminApi, resource: Resource, item: dict[str, Any], form: Form, told: tuple[str, ...] = ()) -> None:
    """One object, and for people what the resource adds; `told` are fields that they were told already."""
    if form.for_programs:
        show_one(item, form)
        return
    (named,) = _for_people(api, resource, [item], form)
    apart = {*resource.apart, *told}
    show_one({name: value for name, value in named.items() if name not in apart}, form, resource.columns)
    if resource.after_sheet is not None:
        typer.echo(resource.after_sheet(api, item))


def _command(
    run: Callable[..., None], resource: Resource, parameters: list[inspect.Parameter]
) -> Callable[..., None]:
    """A function whose signature typer can read; every command also takes --state, --output and --json."""
    options = (*resource.create, *resource.update, *resource.filters)

    def command(**given: Any) -> None:
        state, form = given.pop("state"), form_of(given.pop("output"), given.pop("as_json"))
        with explained(options, given):
            run(connect(state), form, **given)

    every = [*parameters, _annotated("state", State, DEFAULT_STATE), *form_parameters()]
    command.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined] # typer reads it
    command.__annotations__ = {one.name: one.annotation for one in every}
    return command


def _refuse_unready(resource: Resource, item: Mapping[str, Any]) -> None:
    """End with status 1 where what was made or changed cannot be used as it is."""
    why = resource.why_not_ready(item) if resource.why_not_ready is not None else ""
    if why:
        raise refuse(why)


def warn(answer: Mapping[str, Any]) -> None:
    """Say the warnings of an answer on standard error."""
    for warning in answer.get("warnings") or ():
        typer.secho(f"warning: {warning}", fg=typer.colors.YELLOW, err=True)


@contextmanager
def explained(options: Iterable[Option] = (), given: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Turn what may go wrong into a sentence and status 1; `options` are those that fields can be named by."""
    try:
        yield
    except Problem as problem:
        raise refuse(problem_text(problem, options, given) + where_taken_from(problem)) from None
    except Unreachable as why:
        raise refuse(str(why) + where_taken_from(why)) from None
    except (NoApi, NotNamed, BadOption, NotInPart) as why:
        raise refuse(str(why)) from None


def _fields(options: tuple[Option, ...], *, needed: bool = False) -> list[inspect.Parameter]:
    parameters = [_option(one, needed=needed) for one in options]
    if any(one.kind in {"secrets", "prompt"} for one in options):
        parameters.append(_annotated("value_from_env", FromEnvironment, None))
    return [*parameters, _annotated("body", Body, None)]


def _option(option: Option, *, needed: bool = False) -> inspect.Parameter:
    words = f"{option.help} (needed)" if needed and option.needed else option.help
    name = option.flag or option.name
    names = [option.option]
    if option.kind == "flag":
        names = [f"{option.option}/--no-{option.option.removeprefix('--')}"]
    offered = offering(option.words) if option.words else None
    shown = "NUMBER" if option.kind == "number" else None
    declared = typer.Option(*names, help=words, autocompletion=offered, metavar=shown)
    return _parameter(name, _TYPES.get(option.kind, str) | None, declared, None)


def _parent(resource: Resource) -> list[inspect.Parameter]:
    if resource.parent is None:
        return []
    option = typer.Option(resource.parent.option, help=resource.parent.help)
    return [_parameter(resource.parent.name, str, option, inspect.Parameter.empty)]


def _which(resource: Resource) -> inspect.Parameter:
    names = " or ".join(("id", *resource.names))
    return _parameter(
        "which",
        str,
        typer.Argument(help=f"Its {names}.", metavar=resource.one.upper().replace(" ", "_")),
        inspect.Parameter.empty,
    )


def _parameter(name: str, kind: Any, option: Any, default: Any) -> inspect.Parameter:
    return _annotated(name, Annotated[kind, option], default)


def _annotated(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _add(group: typer.Typer, resource: Resource, name: str, function: Callable[..., None], sentence: str) -> None:
    group.command(name, cls=UrlAware, help=sentence + _examples(resource, name))(function)


def _examples(resource: Resource, name: str) -> str:
    lines = resource.examples.get(name, ())
    return "\n\n[bold]Examples[/bold]\n\n" + "\n\n".join(f"  {line}" for line in lines) if lines else ""
