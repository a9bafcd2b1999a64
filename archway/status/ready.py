"""Whether a listener says that it is ready: one GET of /ready, past any HTTP proxy of the environment."""

import urllib.error
import urllib.request
from http.client import HTTPException

DEADLINE_S = 5.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def why_not_ready(url: str) -> str:
    """'' for a listener that is ready, else what it answered, or that it does not answer."""
    try:
        with _OPENER.open(url.rstrip("/") + "/ready", timeout=DEADLINE_S) as answer:
            return "" if answer.status == 200 else f"answers {answer.status} to /ready"
    except urllib.error.HTTPError as refused:
        with refused:
            return "is not ready (503)" if refused.code == 503 else f"answers {refused.code} to /ready"
    except (OSError, HTTPException, ValueError) as error:
        return f"does not answer: {getattr(error, 'reason', error)}"
