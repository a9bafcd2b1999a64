"""Back from a provider: whose account it is, asked before it is kept; and what comes after.

/install/callback/ENTRY      the provider's answer
/install/sign-ins/ID         "Connect GitHub as octocat?"
/install/done/ID             the installation, whose server is being asked; "go back and try again"
"""

from datetime import UTC, datetime

from aiohttp import web

from control.accounts.ending import cancel as give_back
from control.accounts.ending import connect as keep_account
from control.accounts.sign_in_failed import SignInFailed, not_known
from control.accounts.sign_ins import NotSeen, Waiting
from control.changes.visible import visible_installation
from control.console.forms import REFUSALS, Form
from control.console.noted_connections import note_connected, note_failed, note_not_begun
from control.console.pages.install_link import browser_of
from control.console.visit import Visit
from control.credentials.upstream_oauth.unfit import CannotSignIn
from control.http.pages import DOOR_POLICY
from control.providers.asking import ProviderAway
from control.store import account_sign_ins, accounts, installations
from control.store.pool import transaction

_STATUS = {"away": 503, "other_browser": 403}


async def callback(visit: Visit) -> web.Response:
    """The provider's answer: on to the question whose account it is, or a page that says what went wrong."""
    query = visit.request.query
    answer = dict(query)
    try:
        if len(answer) != len(query):
            raise not_known()
        sign_in_id = await visit.deps.account_sign_ins.returned(browser_of(visit), visit.named("entry"), answer)
    except SignInFailed as why:
        await note_failed(visit, why)
        return failed(visit, why)
    return visit.go(f"/install/sign-ins/{sign_in_id}")


async def confirm(visit: Visit) -> web.Response:
    """The question."""
    waiting = await _waiting(visit)
    return failed(visit, not_known()) if waiting is None else _asked(visit, waiting, Form())


async def connect(visit: Visit) -> web.Response:
    """It is the right account: the installation is made, if it is new, and has it from now on."""
    form = await visit.form()
    waiting = await _waiting(visit)
    if waiting is None:
        return failed(visit, not_known())
    try:
        async with visit.changing() as write:
            made = await keep_account(
                write, visit.deps.safeguards, waiting, visit.visitor.session_id, datetime.now(UTC)
            )
    except REFUSALS as refusal:
        return _asked(visit, waiting, form.refused(refusal))
    visit.deps.discoveries.begin(made.id, visit.caller)
    await note_connected(visit, waiting.entry)
    return visit.go(f"/install/done/{made.id}")


async def another(visit: Visit) -> web.Response:
    """It is the wrong account: what came is given back, and the person goes to the provider once more."""
    await visit.form()
    waiting = await _waiting(visit)
    if waiting is None:
        return failed(visit, not_known())
    wanted = waiting.installation or waiting.way.wanted
    assert wanted is not None  # one of the two is what the sign-in was begun for
    sign_ins, seen = visit.deps.account_sign_ins, waiting.seen
    try:
        url = await sign_ins.begin(browser_of(visit), waiting.entry, wanted, another=True, seen=seen)
    except NotSeen:
        await _given_back(visit, waiting)
        return visit.go(_begun_at(visit, waiting))  # where it is shown what is asked for now
    except (CannotSignIn, ProviderAway) as cannot:
        await note_not_begun(visit, waiting.entry, cannot)
        return _asked(visit, waiting, Form(problem=f"{cannot}."))
    await _given_back(visit, waiting)
    return web.Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})


async def cancel(visit: Visit) -> web.Response:
    """Nothing is connected: what came is given back."""
    await visit.form()
    waiting = await _waiting(visit)
    if waiting is not None:
        await _given_back(visit, waiting)
    return visit.page("install/cancelled.html", begin_again=_begun_at(visit, waiting) if waiting else "")


async def done(visit: Visit) -> web.Response:
    """What has come of it so far; with `HX-Request` the part that changes alone."""
    going = await visit.deps.discoveries.goes_on(visit.named("installation_id"))  # first: it may end meanwhile
    async with transaction(visit.pool, readonly=True) as connection:
        found = await installations.one(connection, visit.named("installation_id"))
        installation = visible_installation(found, visit.caller)
        account = await accounts.one(connection, installation.id)
    part = visit.request.headers.get("HX-Request") == "true"
    return visit.page(
        "install/found.html" if part else "install/done.html",
        installation=installation,
        account=account,
        going=going,
        tools=installation.server.get("tools", 0),
    )


def failed(visit: Visit, why: SignInFailed) -> web.Response:
    """The page of a sign-in that came to nothing."""
    page = visit.page("install/failed.html", sentence=str(why), begin_again=why.begin_again)
    page.set_status(_STATUS.get(why.why, 400))
    return page


async def _waiting(visit: Visit) -> Waiting | None:
    return await visit.deps.account_sign_ins.waiting(browser_of(visit), visit.named("sign_in_id"))


def _begun_at(visit: Visit, waiting: Waiting) -> str:
    again = waiting.installation
    return waiting.way.begun_at(waiting.entry.slug, visit.caller.user_id, again.id if again else None)


async def _given_back(visit: Visit, waiting: Waiting) -> None:
    browser = browser_of(visit)
    async with transaction(visit.pool) as connection:
        row = await account_sign_ins.waiting(
            connection, waiting.id, browser.user_id, browser.session_id, lock=True
        )  # fmt: skip
        if row is not None:
            await give_back(connection, visit.deps.seals, row, datetime.now(UTC))


def _asked(visit: Visit, waiting: Waiting, form: Form) -> web.Response:
    page = visit.again("install/confirm.html", form, waiting=waiting, given=waiting.given, entry=waiting.entry)
    page.headers["Content-Security-Policy"] = DOOR_POLICY
    return page
