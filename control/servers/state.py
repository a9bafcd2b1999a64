"""The states of servers for whoever runs them; the type is `control/registry/server_state.py`, where all see it."""

from control.registry.server_state import LONGEST_MESSAGE, Phase, Place, ServerState

__all__ = ["LONGEST_MESSAGE", "Phase", "Place", "ServerState"]
