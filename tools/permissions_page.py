"""Writes the tables of docs/administering/permissions.md from the program's own.

Run as `.venv/bin/python tools/permissions_page.py` after a change of control/registry/actions.py or
control/admin/permissions.py; tests/house/test_permissions_page.py tells when that was forgotten.
"""

import re
from pathlib import Path

from control.admin.permissions import TABLE
from control.registry.actions import ACTIONS, ROLES, Held

PAGE = Path(__file__).parent.parent / "docs" / "administering" / "permissions.md"
BEGIN, END = "<!-- made by tools/permissions_page.py -->", "<!-- until here -->"


def tables() -> str:
    """Both tables, as Markdown."""
    held = [
        f"| `{action}` | {one.meaning} | {_everybody(one)} | {_and_above(one.team)} | {_roles(one)} |"
        for action, one in ACTIONS.items()
    ]
    routes = [f"| `{route}` | {_needs(row)} |" for route, row in TABLE.items()]
    return "\n".join(
        [
            "| permission | lets somebody | everybody has it for | for a team | for everything |",
            "|---|---|---|---|---|",
            *held,
            "",
            "## Which route needs which",
            "",
            "| route | needs |",
            "|---|---|",
            *routes,
        ]
    )


def whole(page: str) -> str:
    """The page with its tables as they are now."""
    made = f"{BEGIN}\n\n{tables()}\n\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: made, page, flags=re.DOTALL)


def _everybody(one: Held) -> str:
    return " and ".join(words for given, words in ((one.own, "their own"), (one.shown, "what they see")) if given)


def _and_above(least: str | None) -> str:
    return "" if least is None else ", ".join(role for role in ROLES[: ROLES.index(least) + 1])  # type: ignore[arg-type] # it is one of them


def _roles(one: Held) -> str:
    return "admin; in no role of yours" if one.reserved else _and_above(one.role)


def _needs(row: tuple[str, ...]) -> str:
    first, *more = row
    return f"`{first}`" + "".join(f"; a part of it `{one}`" for one in more)


if __name__ == "__main__":
    PAGE.write_text(whole(PAGE.read_text()))
