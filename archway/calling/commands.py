"""`archway tools` and `archway call`. Errors are sentences on standard error, and end the command with status 1."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from archway.admin.form import Form, with_form
from archway.admin.show import show_list, show_one
from archway.calling.arguments import BadArgument, arguments_of, usage_of
from archway.calling.client import Gateway, NotReached, Refused
from archway.calling.on_demand import runs_by_name
from archway.calling.shown import harmless, text_of
from archway.calling.where import NoGateway, Where, where
from archway.options import DEFAULT_STATE, State, refuse
from core.mcp.param_headers import InvalidParamHeader

_NO_TOOLS = "none that your token may see; its resources and prompts, if it has any, are for clients that list them"
Named = Annotated[str, typer.Argument(help="Its slug or id, or its whole URL.", metavar="GATEWAY")]
Seconds = Annotated[
    float,
    typer.Option("--timeout", metavar="SECONDS", min=0.1, max=3600, help="Seconds until the answer must be there."),
]


@with_form
def tools(gateway: Named, seconds: Seconds = 120.0, state: State = DEFAULT_STATE, form: Form = Form.TABLE) -> None:
    """List the tools of a gateway, as a client with your token sees them.

    A gateway that loads tools when needed lists two: search_tools, which finds the others, and run_tool.

    The token is ARCHWAY_TOKEN, the address of gateways ARCHWAY_PROXY_URL; or both are those of the `archway up` whose
    folder --state names.

    [bold]Examples[/bold]

      archway tools demo
      ARCHWAY_TOKEN=arch_... archway tools https://mcp.example.com/v1/mcp/demo --json
    """
    with _explained() as found:
        found.append(where(gateway, state))
        listed = Gateway(found[0].url, found[0].token, seconds).tools()
    rows = [
        {**one, "arguments": usage_of(one.get("inputSchema") or {}), "description": _first_line(one)}
        for one in listed
    ]
    if not listed and not form.for_programs:
        typer.echo(_NO_TOOLS)
        return
    show_list(listed if form.for_programs else rows, ("name", "arguments", "description"), form)


@with_form
def call(
    gateway: Named,
    tool: Annotated[str, typer.Argument(help="Its name, as the gateway shows it.", metavar="TOOL")],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            help="name=text, or name:=JSON for numbers, true, false, lists, objects.", metavar="KEY=VALUE"
        ),
    ] = None,
    seconds: Seconds = 120.0,
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Call a tool of a gateway and print its result.

    name=text gives a text, whatever it looks like; name:=JSON anything else. Ends with status 1 where the tool says
    that it failed, or the call was refused; the sentence is on standard error.

    Where the gateway loads tools when needed, search_tools finds them, and each is called by its name all the same.

    The token is ARCHWAY_TOKEN, the address of gateways ARCHWAY_PROXY_URL; or both are those of the `archway up` whose
    folder --state names.

    [bold]Examples[/bold]

      archway call demo time__get_current_time timezone=Europe/Paris
      archway call demo maps__route from=Paris to=Lyon stops:=3 avoid:='\\["tolls"]'
      archway call demo time__get_current_time timezone=UTC --json
      archway call demo search_tools query='create an issue'
    """
    with _explained() as found:
        found.append(where(gateway, state))
        there = Gateway(found[0].url, found[0].token, seconds)
        result = _called(there, tool, arguments or ())
    failed = result.get("isError") is True
    if form.for_programs:
        show_one(result, form)
    elif not failed:
        typer.echo(text_of(result))
    if failed:
        raise refuse("" if form.for_programs else text_of(result) or "the tool failed and says nothing")


def _called(there: Gateway, name: str, arguments: Sequence[str]) -> dict[str, Any]:
    """The tool's result; by `run_tool` where the gateway lists that in place of its tools."""
    listed = there.tools()
    runs = runs_by_name(listed)
    if runs is not None and all(name != one["name"] for one in listed):
        return there.call(runs, {"tool_name": name, "tool_args": arguments_of(arguments, {})})
    definition = _named(name, listed)
    return there.call(definition, arguments_of(arguments, definition.get("inputSchema") or {}))


def _named(name: str, listed: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The definition of this name; raises BadArgument with the names that are like it."""
    for one in listed:
        if one.get("name") == name:
            return one
    names = [str(one.get("name")) for one in listed]
    near = [one for one in names if one.endswith(f"__{name}")] or difflib.get_close_matches(name, names)
    told = ", ".join(near or names[:10]) or _NO_TOOLS
    raise BadArgument(f"the gateway has no tool {name!r}; it has {told}{' and more' if len(names) > 10 else ''}")


def _first_line(one: Mapping[str, Any]) -> str:
    return str(one.get("description") or one.get("title") or "").strip().partition("\n")[0]


@contextmanager
def _explained() -> Iterator[list[Where]]:
    """Turn what may go wrong into a sentence and status 1; what is put into the list says where the token is from."""
    found: list[Where] = []
    try:
        yield found
    except Refused as why:
        source = f"\nthe token is from {found[0].token_from}" if why.status in {401, 403} else ""
        raise refuse(harmless(str(why)) + source) from None
    except InvalidParamHeader as why:
        raise refuse(f"the tool's definition is wrong: {why}") from None
    except (NoGateway, NotReached, BadArgument) as why:
        raise refuse(harmless(str(why))) from None
