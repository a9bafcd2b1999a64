"""The checks of an authorize request, in order: one line each, with what it can refuse. Read this first.

Until the redirect is known to be the client's, a refusal is a page here: sending the person there would help whoever
made it up. After that the client is told, unless it has a website that nobody vouches for (`may_send_back.py`). Who
the person is, is asked last.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from control.oauth.authorize.check_client import check_client
from control.oauth.authorize.check_gateway import check_gateway
from control.oauth.authorize.check_once import check_client_once, check_once
from control.oauth.authorize.check_person import check_person
from control.oauth.authorize.check_pkce import check_pkce
from control.oauth.authorize.check_prompt import check_prompt
from control.oauth.authorize.check_redirect import check_redirect
from control.oauth.authorize.check_resource import check_resource
from control.oauth.authorize.check_response_type import check_response_type
from control.oauth.authorize.check_scope import check_scope
from control.oauth.authorize.check_unsupported import check_unsupported
from control.oauth.authorize.request import AuthorizeRequest

Check = Callable[[AuthorizeRequest], Awaitable[None]]
CHECKS: Final[tuple[Check, ...]] = (
    check_client_once,    # client_id, redirect_uri, state come once           page
    check_client,         # there is such a client, and it acts for people     page
    check_redirect,       # to the letter one that the client registered       page
    # ---- from here on the client hears of it, if it may
    check_once,           # nothing else comes twice                           invalid_request
    check_unsupported,    # no request objects                                 request_not_supported, request_uri_...
                          # no other response mode                             invalid_request
    check_response_type,  # a code, nothing else                               unsupported_response_type
    check_pkce,           # a challenge, S256                                  invalid_request
    check_scope,          # scopes that there are                              invalid_scope
    check_resource,       # a gateway of ours, which lets this client in       invalid_target, access_denied
    check_prompt,         # `none` alone, and then only a person who is here   invalid_request, login_required
    # ---- from here on there is a person
    check_person,         # somebody has signed in                             to the sign-in page
    check_gateway,        # they see the gateway; or it is the only one        access_denied, invalid_target
)  # fmt: skip
