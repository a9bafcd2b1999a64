"""The pages of environments and of egress presets: a part of the table of pages (`routes.py`)."""

from typing import Final

from control.console.page_route import ID as _ID
from control.console.page_route import PageRoute
from control.console.pages import egress_presets, environment, environments

_ENVIRONMENT: Final = f"/environments/{{environment_id:{_ID}}}"
_CHANGES_ENVIRONMENT: Final = "PATCH /environments/{environment_id}"
_PRESET: Final = f"/egress-presets/{{egress_preset_id:{_ID}}}"
_READS_PRESET: Final = "GET /egress-presets/{egress_preset_id}"
ENVIRONMENT_PAGES: Final = (
    PageRoute("GET", "/environments", environments.show, "GET /environments"),
    PageRoute("GET", "/environments/new", environments.new, "POST /environments"),
    PageRoute("POST", "/environments/new", environments.create, "POST /environments"),
    PageRoute("GET", _ENVIRONMENT, environment.show, "GET /environments/{environment_id}"),
    PageRoute("GET", f"{_ENVIRONMENT}/edit", environment.edit, _CHANGES_ENVIRONMENT),
    PageRoute("POST", f"{_ENVIRONMENT}/edit", environment.change, _CHANGES_ENVIRONMENT),
    PageRoute("POST", f"{_ENVIRONMENT}/probe", environment.probe, "POST /environments/{environment_id}/probe"),
    PageRoute("POST", f"{_ENVIRONMENT}/delete", environment.delete, "DELETE /environments/{environment_id}"),
    PageRoute("GET", "/egress-presets", egress_presets.show, "GET /egress-presets"),
    PageRoute("GET", "/egress-presets/new", egress_presets.new, "POST /egress-presets"),
    PageRoute("POST", "/egress-presets/new", egress_presets.create, "POST /egress-presets"),
    PageRoute("GET", _PRESET, egress_presets.one, _READS_PRESET),
    PageRoute("POST", _PRESET, egress_presets.change, "PATCH /egress-presets/{egress_preset_id}"),
    PageRoute("POST", f"{_PRESET}/delete", egress_presets.delete, "DELETE /egress-presets/{egress_preset_id}"),
)
