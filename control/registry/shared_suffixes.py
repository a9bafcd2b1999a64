"""Endings of host names under which anybody can get a name: no place for an answer that chooses the server.

Called by `url_template.py` for what is right of a filled host label. Strict and simple instead of complete: the list
of public suffixes has ten thousand lines and changes each week (PyPI has it as `publicsuffixlist`, as old as the last
upgrade), leaves out hosters that did not ask to be in it, and whoever enters a server looks at its URL. Where this
refuses a country's short domain that has one owner, a deeper suffix passes (`{region}.api.x.ai`). Pure.
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
    "adaptable.app", "aliyuncs.com", "amazonaws.com", "amplifyapp.com", "appdomain.cloud", "appspot.com",
    "awsapprunner.com", "azure-api.net", "azurecontainerapps.io", "azureedge.net", "azurefd.net",
    "azurestaticapps.net", "azurewebsites.net", "b-cdn.net", "b4a.run", "back4app.io", "blogspot.com", "bolt.host",
    "builtwithdark.com", "cfargotunnel.com", "cleverapps.io", "cloud.goog", "cloudapp.azure.com", "cloudapp.net",
    "cloudflare.net", "cloudfront.net", "cloudfunctions.net", "cloudshell.dev", "code.run", "csb.app", "daytona.app",
    "daytona.work", "ddns.net", "deno.dev", "deno.net", "digitaloceanspaces.com", "duckdns.org", "dyndns.org",
    "dynu.net", "dynv6.net", "e2b.app", "e2b.dev", "edgecompute.app", "edgeone.app", "elasticbeanstalk.com",
    "fastly.net", "fastmcp.app", "fermyon.app", "firebaseapp.com", "fly.dev", "framer.app", "freemyip.com",
    "github.dev", "github.io", "gitlab.io", "gitpod.io", "glitch.me", "googleusercontent.com", "gradio.live",
    "hasura.app", "herokuapp.com", "hf.space", "hopto.org", "hostingersite.com", "is-a.dev", "js.org", "kinsta.app",
    "koyeb.app", "lhr.life", "loca.lt", "localhost.run", "localtunnel.me", "lovable.app", "modal.host", "modal.run",
    "mybluemix.net", "myqcloud.com", "netlify.app", "ngrok-free.app", "ngrok-free.dev", "ngrok.app", "ngrok.dev",
    "ngrok.io", "nip.io", "no-ip.org", "northflank.app", "now.sh", "on-acorn.io", "on.aws", "ondigitalocean.app",
    "onrender.com", "openshiftapps.com", "pagekite.me", "pages.dev", "pantheonsite.io", "pinggy.io", "pinggy.link",
    "pipedream.net", "platformsh.site", "pythonanywhere.com", "r2.dev", "railway.app", "repl.co", "repl.run",
    "replit.app", "replit.dev", "rhcloud.com", "run.app", "scw.cloud", "serveo.net", "sevalla.app", "sliplane.app",
    "sslip.io", "stackblitz.io", "streamlit.app", "supabase.co", "supabase.in", "supabase.net", "surge.sh",
    "sytes.net", "telebit.io", "traefik.me", "trafficmanager.net", "trycloudflare.com", "ts.net", "usercontent.goog",
    "val.run", "vercel.app", "vercel.dev", "wasmer.app", "web.app", "webcontainer.io", "webflow.io", "windows.net",
    "wixsite.com", "workers.dev", "xip.io", "zapto.org", "zeabur.app", "zrok.io",
})  # fmt: skip


def anybody_may_have(suffix: Sequence[str]) -> bool:
    """Whether names under this suffix, given as its labels in lower case, belong to no one owner, as far as known."""
    if len(suffix) < 2 or any(".".join(suffix[number:]) in _OF_HOSTERS for number in range(len(suffix))):
        return True
    second, top = suffix[-2], suffix[-1]
    of_country = len(top) == 2 and (len(second) <= _LONGEST_OF_COUNTRIES or second in _OF_COUNTRIES)
    return len(suffix) == 2 and of_country
