"""An address that a provider's metadata names for one of its endpoints, judged before anything is sent there.

Called by `control/identity/discovery.py` and `control/credentials/upstream_oauth/`. Whoever calls looks besides at
whose host it is: an address that is fit may still be one that no admin has approved. Pure.
"""

from control.registry.provider_rules import may_be_plain
from core.egress.addresses import AddressPolicy, UrlRefused, check_url


class EndpointUnfit(ValueError):
    """An address that nothing is sent to and no browser; the sentence names the endpoint."""


def checked_endpoint(url: object, name: str, issuer: str, policy: AddressPolicy) -> str:
    """The address in its one form: https, or http on this machine where the issuer is there too. It is a text that a
    browser or our client takes as it stands, and never part of a command. Raises EndpointUnfit.
    """
    if not isinstance(url, str) or not url:
        raise EndpointUnfit(f"its metadata has no {name}")
    try:
        checked = check_url(url, policy, purpose=name)
    except UrlRefused as refused:
        raise EndpointUnfit(str(refused)) from None
    if checked.startswith("http://") and not (issuer.startswith("http://") and may_be_plain(checked)):
        raise EndpointUnfit(f"{name}: must begin with https://")
    return checked
