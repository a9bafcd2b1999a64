"""An environment that probes are made of."""

from __future__ import annotations

from datetime import UTC, datetime

from control.registry.egress import Egress
from control.registry.environment import Environment

ID = "0193a1b2-0000-7000-8000-0000000000ee"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ENVIRONMENT = Environment(id=ID, name="Staging", egress=Egress("off"), created_at=NOW, updated_at=NOW, version=1)
