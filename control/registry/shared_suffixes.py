"""Endings of host names under which anybody can get a name: no place for an answer that chooses the server.

Called by `url_template.py` for what is right of a filled host label. Strict and simple instead of complete: the list
of public suffixes has ten thousand lines and changes each week, and whoever enters a server looks at its URL. Where
this refuses a domain that has one owner, a deeper suffix of the same owner passes (`{region}.api.x.ai`). Pure.
"""

from collections.abc import Sequence
from typing import Final

# Second labels under the two letters of a country that are longer than the usual `co`, `com`, `ac`, `gov`.
_OF_COUNTRIES: Final = frozenset({
    "asso", "firm", "gouv", "govt", "info", "name", "police", "priv", "school", "store",
})  # fmt: skip
_LONGEST_OF_COUNTRIES: Final = 3

# Where customers, and whoever else likes, get a name of their own.
_OF_HOSTERS: Final = frozenset({
    "amazonaws.com", "appspot.com", "azure-api.net", "azurecontainerapps.io", "azurefd.net", "azurewebsites.net",
    "blogspot.com", "cloudapp.azure.com", "cloudapp.net", "cloudfront.net", "cloudfunctions.net", "deno.dev",
    "duckdns.org", "elasticbeanstalk.com", "firebaseapp.com", "fly.dev", "github.dev", "github.io", "gitlab.io",
    "herokuapp.com", "hf.space", "loca.lt", "lovable.app", "modal.run", "netlify.app", "ngrok-free.app",
    "ngrok-free.dev", "ngrok.app", "ngrok.dev", "ngrok.io", "nip.io", "on.aws", "ondigitalocean.app", "onrender.com",
    "pages.dev", "railway.app", "repl.co", "replit.app", "replit.dev", "run.app", "serveo.net", "sslip.io",
    "supabase.co", "surge.sh", "trycloudflare.com", "vercel.app", "web.app", "windows.net", "workers.dev", "xip.io",
})  # fmt: skip


def anybody_may_have(suffix: Sequence[str]) -> bool:
    """Whether names under this suffix, given as its labels in lower case, belong to no one owner, as far as known."""
    if len(suffix) < 2 or any(".".join(suffix[number:]) in _OF_HOSTERS for number in range(len(suffix))):
        return True
    second, top = suffix[-2], suffix[-1]
    of_country = len(top) == 2 and (len(second) <= _LONGEST_OF_COUNTRIES or second in _OF_COUNTRIES)
    return len(suffix) == 2 and of_country
