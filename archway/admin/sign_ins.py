"""Attempts to sign in on the command line: which step failed, why, and what helps."""

from collections.abc import Iterable, Mapping
from typing import Any

from archway.admin.commands import commands
from archway.admin.resource import Option, Resource
from archway.admin.show import sheet_text
from archway.admin_client import AdminApi

_STEPS = ("challenge", "metadata", "registered", "authorised", "token", "first_call", "signed_in", "connected")


def with_names(_: AdminApi, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Steps with the name of the person, where one is known."""
    return [{**item, "user": item.get("user_name") or ""} for item in items]


def why_and_what_helps(items: list[dict[str, Any]]) -> str:
    """Of each step that failed, whole: why it did, what was asked for, and what helps. No table has room for it."""
    told = [_told(item) for item in items if item.get("outcome") == "failed"]
    return "\n".join(["", "What failed, and what helps:", *told]) if told else ""


def _told(item: Mapping[str, Any]) -> str:
    where = " at ".join(str(item[name]) for name in ("client", "gateway") if item.get(name))
    told = {"failed": item["reason"], "asked for": item["asked"], "what helps": item["cure"]}
    lines = sheet_text({name: value for name, value in told.items() if value}).splitlines()
    head = sheet_text({f"{item['at']} {item['step']}": where})
    return "\n".join(["", head, *("  " + line for line in lines)])


SIGN_IN = Resource(
    name="sign-ins",
    one="sign-in",
    path="/sign-ins",
    help="How the last attempts to sign in went, step by step; of each that failed, why and what helps. You see your "
    "own; with sign_in:read one sees all.",
    columns=("at", "step", "outcome", "times", "client", "gateway", "user", "address"),
    for_people=with_names,
    filters=(
        Option("outcome", "Only what is ok, or failed.", words=("ok", "failed")),
        Option("step", f"Only this step: {', '.join(_STEPS[:-1])} or {_STEPS[-1]}.", words=_STEPS),
        Option("client", "Only of clients whose name begins so, in whatever case."),
        Option("gateway", "Only for this gateway: its slug, or the name that it was asked for by."),
        Option("user_id", "Only of this user.", "reference", of="user", flag="user"),
    ),
    delete=False,
    show=False,
    listed_alone=True,
    after_list=why_and_what_helps,
    examples={
        "": (
            "archway sign-ins",
            "archway sign-ins --outcome failed",
            "archway sign-ins --user ada@example.com --json",
        ),
        "list": ("archway sign-ins list --step token --client claude", "archway sign-ins list --gateway sales"),
    },
)
SIGN_INS = commands(SIGN_IN)
