"""The person: somebody who has signed in; a stranger does that first, and comes back with the same request."""

from control.oauth.authorize.request import AuthorizeRequest
from control.public.visitor import signed_in


async def check_person(asked: AuthorizeRequest) -> None:
    """Send a stranger to the sign-in page."""
    asked.visitor = signed_in(asked.http)
