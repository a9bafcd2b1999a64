"""Where an installation's server is connected to: judged like everybody's, but for one that Archway runs itself.

The one place that makes such an exemption. What control's own runtime runs is of the kind `process` or `cluster`,
which control says of no other (`control/credentials/reaching.py`), in answers that are sealed for this proxy.
"""

from core.egress.addresses import PublicUrl
from core.egress.own_servers import RuntimeUrl
from core.resolve import ResolvedInstallation


def address_of(installation: ResolvedInstallation) -> PublicUrl:
    """The URL for requests to this server."""
    return PublicUrl(installation.url if installation.kind == "remote" else RuntimeUrl(installation.url))
