"""Installing an entry: for whom, its answers, its credential. What its server offers is asked for afterwards.

For whoever looks round the registry, in the console; may be done ahead of a sign-in at a provider. Whoever was sent a
link connects an entry on the page of `install_link.py`.
"""

from aiohttp import web

from control.changes import installations as changes
from control.changes.visible import visible_entry
from control.console.answer_form import credential_question, form_of_answers, questions
from control.console.forms import REFUSALS, Form
from control.console.new_installation import read_new
from control.console.owners_offered import owners_offered
from control.console.shown_installations import SIGNS_IN
from control.console.visit import Visit
from control.registry.credential import CREDENTIAL, kind_of
from control.registry.entry import Entry
from control.registry.install_path import install_path
from control.store import entries
from control.store.pool import Connection, transaction

PROTOCOLS = [
    ("auto", "found out"), ("legacy", "the newest with initialize"), ("2026-07-28", "2026-07-28"),
    ("2025-11-25", "2025-11-25"), ("2025-06-18", "2025-06-18"), ("2025-03-26", "2025-03-26"),
    ("2024-11-05", "2024-11-05"),
]  # fmt: skip


async def form(visit: Visit) -> web.Response:
    """The form, for oneself unless the address says otherwise."""
    async with transaction(visit.pool, readonly=True) as connection:
        entry = await _found(connection, visit)
    given = {
        "name": "",
        "whose": visit.request.query.get("whose", "personal")[:64],
        "protocol": "auto",
        "default": "",
    }
    return await _asked(visit, entry, Form(given | {CREDENTIAL: ""} | form_of_answers(entry)))


async def install(visit: Visit) -> web.Response:
    """Install it, and have its server asked; on to the installation's page, which follows that."""
    form = await visit.form()
    async with transaction(visit.pool, readonly=True) as connection:
        entry = await _found(connection, visit)
    try:
        wanted = read_new(entry, form)
        async with visit.changing() as write:
            made = await changes.create(write, visit.deps.safeguards, wanted)
    except REFUSALS as refusal:
        return await _asked(visit, entry, form.refused(refusal, _form_field))
    began = visit.deps.discoveries.begin(made.id, visit.caller)
    return visit.go(f"/installations/{made.id}", "installed" if began else "installed-not-asked")


def _form_field(path: str) -> str:
    return "whose" if path in {"scope", "team_id", "oauth_client_id", "entry_id"} else path


async def _found(connection: Connection, visit: Visit) -> Entry:
    return visible_entry(await entries.one(connection, visit.named("entry_id")), visit.caller)


async def _asked(visit: Visit, entry: Entry, form: Form) -> web.Response:
    async with transaction(visit.pool, readonly=True) as connection:
        owners = await owners_offered(connection, visit, entry)
    signs_in = kind_of(entry.credential) in SIGNS_IN
    return visit.again(
        "registry/install.html",
        form,
        entry=entry,
        owners=owners,
        questions=questions(entry),
        credential=credential_question(entry),
        sign_in_path=install_path(entry.slug, f"user:{visit.caller.user_id}") if signs_in else "",
        protocols=PROTOCOLS,
    )
