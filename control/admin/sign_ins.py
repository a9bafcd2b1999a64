"""`/sign-ins`: how the last attempts to sign in went, step by step; of those that failed, why and what helps.

Noted by whoever takes a step (`control/records/sign_in_notes.py`). Nothing here can be changed: it forgets by itself.
"""

from control.admin.api import Asked, Operations
from control.admin.resource import shown, whose
from control.admin.sign_in_models import SignIn, SignInQuery
from control.http.paging import Page, page_of
from control.registry.sign_in_attempt import told_of_attempt
from control.store import sign_in_attempts
from control.store.pool import transaction

operations = Operations("sign-ins")


@operations.get("/sign-ins")
async def list_sign_ins(asked: Asked, query: SignInQuery) -> Page[SignIn]:
    """List steps of attempts to sign in, the newest first: one's own, or all with `sign_in:read`."""
    user_id = whose(asked.caller, "sign_in:read", query.user_id)
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await sign_in_attempts.page(
            connection,
            limit=query.fetch,
            before_id=query.after,
            user_id=user_id,
            step=query.step,
            failed=query.failed,
            client=query.client,
            gateway=query.gateway,
        )
    return page_of(rows, query, lambda one: shown(SignIn, told_of_attempt(one)), lambda one: one.id)
