"""Sign-ins: how the last attempts went, step by step; of those that failed, why and what helps.

Who may see all of them sees all, everybody else their own. `my_access.py` shows the last of one's own too.
"""

from aiohttp import web

from control.admin.sign_in_models import SignInQuery
from control.console.visit import Visit
from control.http.paging import page_of
from control.registry.sign_in_attempt import STEPS
from control.store import sign_in_attempts
from control.store.pool import transaction


async def show(visit: Visit) -> web.Response:
    """The list, the newest first."""
    query, all_of_them = visit.query(SignInQuery), visit.caller.may("sign_in:read")
    async with transaction(visit.pool, readonly=True) as connection:
        rows = await sign_in_attempts.page(
            connection,
            limit=query.fetch,
            before_id=query.after,
            user_id=query.user_id if all_of_them else visit.caller.user_id,
            step=query.step,
            failed=query.failed,
            client=query.client,
            gateway=query.gateway,
        )
    page = page_of(rows, query, lambda one: {"attempt": one}, lambda one: one.id)
    return visit.page(
        "sign_ins/list.html",
        attempts=[one["attempt"] for one in page.items],
        next=page.next,
        query=query,
        steps=STEPS,
        all_of_them=all_of_them,
        most=sign_in_attempts.MOST,
    )
