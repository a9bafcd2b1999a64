"""The link that `archway up` ends with: it signs the first admin in, once, in whichever browser opens it.

Made by the run's own token, which acts for that admin. A later start makes another; one that nobody used is over by
then, or soon.
"""

from archway.admin_client import AdminApi, Problem


def way_in(api: AdminApi) -> str:
    """The link; '' where there is no admin whom it could sign in. Raises Unreachable. Blocks."""
    try:
        me = api.get("/me")["user"]
        return str(api.post(f"/users/{me['id']}/links", {"purpose": "sign_in"})["url"])
    except Problem:
        return ""
