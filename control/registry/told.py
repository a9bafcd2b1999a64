"""Values of the registry as plain JSON, but for points in time: what the admin API shows and the audit trail keeps.

Called by the files of the types here. Leaves out how a time is written: both write it as `moments.py` says.
"""

from datetime import datetime
from typing import Any

import msgspec


def as_plain(value: Any) -> Any:
    """The same in dictionaries and lists; a structure with its tag, a time as it is."""
    return _listed(msgspec.to_builtins(value, builtin_types=(datetime,)))


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _listed(one) for name, one in value.items()}
    return [_listed(one) for one in value] if isinstance(value, (list, tuple)) else value
