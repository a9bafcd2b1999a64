"""Writes the table of docs/administering/whose-token.md from the program's own.

Run as `.venv/bin/python tools/whose_page.py` after a change of control/credentials/whose.py;
tests/house/test_whose_page.py tells when that was forgotten.
"""

import re
from pathlib import Path

from control.credentials.whose import CALLERS, TABLE, WANTED, CallerKind, Cell, Uses, Wanted

PAGE = Path(__file__).parent.parent / "docs" / "administering" / "whose-token.md"
BEGIN, END = "<!-- made by tools/whose_page.py -->", "<!-- until here -->"
CALLERS_SAID: dict[CallerKind, str] = {
    "oauth": "a person, by an access token that they allowed a client (OAuth)",
    "id_jag": "a person, by an assertion of their identity provider (ID-JAG)",
    "provider_token": "a person, with their identity provider's own token",
    "user_token": "a person, with a token of theirs (`arch_`)",
    "team_token": "a team's token",
    "organisation_token": "a token of the organisation",
    "service_account": "a service account",
    "ci_job": "a job, with its provider's own token",
    "external": "somebody without an account here, with their provider's token",
}
USES_SAID: dict[Uses, str] = {
    "nothing": "nothing",
    "installation": "the installation's",
    "sign_in": "their sign-in's",
    "own_token": "their own",
    "statement": "our word on them",
}


def table() -> str:
    """The table and its refusals, as Markdown."""
    refusals = list(dict.fromkeys(cell.refusal for row in TABLE.values() for cell in row.values() if cell.refusal))

    def said(cell: Cell) -> str:
        return USES_SAID[cell.uses] if cell.uses is not None else f"refused ({refusals.index(cell.refusal) + 1})"

    def line(caller: CallerKind) -> str:
        return f"| {CALLERS_SAID[caller]} | {' | '.join(said(TABLE[one][caller]) for one in WANTED)} |"

    return "\n".join(
        [
            f"| who calls | {' | '.join(map(_column, WANTED))} |",
            "|---|" + "---|" * len(WANTED),
            *map(line, CALLERS),
            "",
            "What a refusal says, behind the server's name:",
            "",
            *(f"{number}. *… {one}.*" for number, one in enumerate(refusals, 1)),
        ]
    )


def whole(page: str) -> str:
    """The page with its table as it is now."""
    made = f"{BEGIN}\n\n{table()}\n\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: made, page, flags=re.DOTALL)


def _column(wanted: Wanted) -> str:
    return "caller statement" if wanted == "caller_statement" else f"`{wanted}`"


if __name__ == "__main__":
    PAGE.write_text(whole(PAGE.read_text()))
