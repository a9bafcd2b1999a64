"""An installation as a form asks for it: what both pages read on which somebody makes one.

Called by the page of an entry (`pages/install.py`) and by the page behind an install link (`pages/install_link.py`).
Leaves out for whom the form may ask (`owners_offered.py`), and what is made of it (`control/changes/`).
"""

from control.admin.installation_models import InstallationCreate
from control.changes.installations import WantedInstallation
from control.console.answer_form import answers_of_form
from control.console.forms import Form
from control.console.owners_offered import owner_fields
from control.registry.credential import CREDENTIAL
from control.registry.entry import Entry


def read_new(entry: Entry, form: Form) -> WantedInstallation:
    """What is wanted; raises Problem as the admin API does. `whose` is one of the values of `owners_offered`."""
    read = form.read(
        InstallationCreate,
        leave_out={"name", CREDENTIAL},
        entry_id=entry.id,
        **owner_fields(form.value("whose")),
        default=form.flag("default"),
        values={name: value for name, value in answers_of_form(entry, form).items() if value is not None},
    )
    return WantedInstallation(**read.model_dump())
