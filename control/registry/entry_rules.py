"""What makes an entry one that can be saved: its URL, credential, fixed headers, fields and visibility together.

Called by the admin API with the whole entry as it would be after the write, so that a change of one part is judged
with all others. Gives the columns of the row; secrets are in `Checked.fixed_headers` alone, for the caller to seal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from control.registry.binding import origin_of
from control.registry.broken_rule import BrokenRule
from control.registry.credentials import Placement, check_placement
from control.registry.fields import Field, check_fields
from control.registry.headers import check_fixed_headers
from control.registry.visibility import check_visibility
from core.egress.addresses import ANYWHERE, AddressPolicy, UrlRefused, check_url


@dataclass(frozen=True, slots=True)
class Checked:
    """The parts of an entry that rules speak about, in the form that the row keeps."""

    url: str
    docs_url: str
    placement: Placement | None
    fields: tuple[Field, ...]
    fixed_header_names: list[str]
    fixed_headers: Mapping[str, str] | None = field(repr=False)
    """New values to seal; None: the sealed ones stay."""

    def columns(self) -> dict[str, Any]:
        """As columns of `entries`, without `fixed_headers`."""
        return {
            "url": self.url,
            "docs_url": self.docs_url,
            "credential_placement": self.placement.as_json() if self.placement else {},
            "fields": [one.as_json() for one in self.fields],
            "fixed_header_names": self.fixed_header_names,
        }


def check_entry(
    wanted: Mapping[str, Any],
    fields: Sequence[Field],
    fixed_headers: Mapping[str, str] | None,
    policy: AddressPolicy,
    before: Mapping[str, Any] | None = None,
) -> Checked:
    """The checked parts, or BrokenRule. `before` is the row of an entry that is being changed.

    Fixed headers may be a credential, so they do not follow the entry to another origin: they are given again.
    """
    check_visibility(wanted["visibility"], wanted["teams"], None)
    url = _checked_url(wanted["url"], policy, "url")
    # A docs link is opened by a person's browser and never by us.
    docs_url = _checked_url(wanted["docs_url"], ANYWHERE, "docs_url") if wanted["docs_url"] else ""
    placement = _placement(wanted)
    names = list(before["fixed_header_names"]) if before else []
    if fixed_headers is not None:
        fixed_headers = check_fixed_headers(fixed_headers)
        names = list(fixed_headers)
    elif before and names and origin_of(before["url"]) != origin_of(url):
        raise BrokenRule(
            "fixed_headers", f"were given for {origin_of(before['url'])}; give them again for the new url"
        )
    if placement is not None and placement.name in names:
        raise BrokenRule(
            "credential_placement", f"fills {placement.name}, which is a fixed header already; choose one"
        )
    return Checked(url, docs_url, placement, check_fields(fields, placement, names, policy), names, fixed_headers)


def _placement(wanted: Mapping[str, Any]) -> Placement | None:
    given = wanted["credential_placement"]
    if wanted["credential_model"] == "none":
        if given:
            raise BrokenRule("credential_placement", "goes with the credential model 'static' only; take it out")
        return None
    if not given:
        raise BrokenRule("credential_placement", "is needed with the credential model 'static'; give its style")
    return check_placement(given["style"], given.get("header", ""), "credential_placement")


def _checked_url(url: str, policy: AddressPolicy, field_name: str) -> str:
    try:
        return check_url(url, policy, purpose=field_name)
    except UrlRefused as refused:
        raise BrokenRule(field_name, str(refused).removeprefix(f"{field_name}: ")) from None
