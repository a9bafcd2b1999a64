"""What was picked in the tool picker of a gateway: the tools to assign, and the assignments to take away.

The picker shows some of all tools, so its form says of each that it showed whether the gateway had it: what was
neither ticked nor taken off by this person stays as it is, whatever somebody else did meanwhile.

    tool:TOOL      a box that is ticked
    was:TOOL       the tool was shown by the gateway: identifiers of its assignments
    pin:ENTRY      with whose installation new tools of this entry are called; '' at call time
    all, none      buttons: assign all tools of this entry, take them all away
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from control.console.forms import Form
from core.identifiers import is_id

_TOOL: Final = "tool:"
_WAS: Final = "was:"
_PIN: Final = "pin:"


@dataclass(frozen=True, slots=True)
class Picked:
    """What somebody picked on the page of a gateway's tools: those to assign, and the assignments to take away."""

    tools: tuple[str, ...]
    """Identifiers of tools that are to be assigned."""
    taken: tuple[str, ...]
    """Identifiers of assignments that are to go."""
    every: str
    """The entry of which all tools are to be assigned; '' for none."""
    none: str
    """The entry whose tools are all to go; '' for none."""
    pins: Mapping[str, str]
    """Entry to the installation that was chosen for it; only where one was."""

    def __bool__(self) -> bool:
        return bool(self.tools or self.taken or self.every or self.none)


def picked_in(form: Form) -> Picked:
    """What the form says. Names that are no identifiers are left out: no page of ours sends them."""
    ticked = _of(form, _TOOL)
    was = _of(form, _WAS)
    taken = [one for tool, shown in was.items() if tool not in ticked for one in shown.split() if is_id(one)]
    pins = {entry: pin for entry, pin in _of(form, _PIN).items() if pin}
    return Picked(
        tuple(one for one in ticked if one not in was),
        tuple(taken),
        form.value("all") if is_id(form.value("all")) else "",
        form.value("none") if is_id(form.value("none")) else "",
        pins,
    )


def refused_at(form: Form, refusal: Exception, entry_id: str) -> Form:
    """The form again, with what was refused of an installation at the choice of its entry."""
    place = f"{_PIN}{entry_id}"
    told = replace(form, given={**form.given, "installation": ""}).refused(refusal)
    errors = {place if name == "installation" else name: text for name, text in told.errors.items()}
    return replace(told, given=form.given, errors=errors)


def carried(form: Form, on_the_page: Collection[str]) -> dict[str, str]:
    """Fields of tools that the page does not show, so that what was ticked at another search is not lost."""
    return {
        f"{beginning}{tool}": text
        for beginning in (_TOOL, _WAS)
        for tool, text in _of(form, beginning).items()
        if tool not in on_the_page
    }


def _of(form: Form, beginning: str) -> dict[str, str]:
    found = {name.removeprefix(beginning): text for name, text in form.given.items() if name.startswith(beginning)}
    return {name: text for name, text in found.items() if is_id(name)}
