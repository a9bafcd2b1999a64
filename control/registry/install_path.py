"""The path of an install link: the page on which somebody connects an entry, or mends an installation of it.

Made here for whoever tells people of it: sentences of refusals, pages, the admin API. The page is
`control/console/pages/install_link.py`. Leaves out where people's pages are, which comes before the path. Pure.
"""

from urllib.parse import urlencode

from control.registry.installation import Installation
from control.registry.owner import Person, TeamOwner, owner_key


def install_path(slug: str, whose: str = "", installation_id: str = "") -> str:
    """Where an entry is connected; or, with an installation, where that is given what it lacks.

    `whose`: the key of the owner it is for (`user:ID`, `team:ID`), so that the page can refuse another person whom
    the link was sent to. '' is for nobody in particular: whoever may connect the entry chooses there for whom.
    """
    named = {"as": whose, "installation": installation_id}
    query = urlencode({name: value for name, value in named.items() if value})
    return f"/install/{slug}?{query}" if query else f"/install/{slug}"


def path_to_mend(installation: Installation) -> str:
    """Where an installation is given what it lacks: by its owner; an organisation's or a program's, by who may."""
    whose = owner_key(installation.owner) if isinstance(installation.owner, Person | TeamOwner) else ""
    return install_path(installation.entry_slug, whose, installation.id)
