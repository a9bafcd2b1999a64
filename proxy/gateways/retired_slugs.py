"""Slugs that gateways had before, by which callers still ask: whose they are, until another gateway takes one.

Used by the holder alone. Control says whose a slug of before is; the index of all gateways knows only those of now.
"""

from collections.abc import Mapping

from proxy.gateways.compiled import CompiledGateway


class RetiredSlugs:
    """The slugs of before by which gateways of this worker were asked for, by the gateway's identifier."""

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._names)

    def note(self, gateway: CompiledGateway, name: str) -> None:
        """The gateway was asked for by this name, which may be one of before."""
        if name not in {gateway.id, gateway.snapshot.slug}:
            self._names.setdefault(gateway.id, set()).add(name)

    def pop(self, gateway_id: str) -> set[str]:
        """Forget those of one gateway; which they were."""
        return self._names.pop(gateway_id, set())

    def lead_elsewhere(self, by_name: dict[str, CompiledGateway], ids: Mapping[str, str]) -> None:
        """Forget those that another gateway has now, as `ids` knows all names: in `by_name` they lead nowhere."""
        for gateway_id, names in self._names.items():
            taken = {name for name in names if ids.get(name, gateway_id) != gateway_id}
            names.difference_update(taken)
            if taken:
                _take_away(by_name, by_name[gateway_id], taken)


def _take_away(by_name: dict[str, CompiledGateway], gateway: CompiledGateway, names: set[str]) -> None:
    """What was decided of calls by these names stands no more; the gateway goes on under its others."""
    again = CompiledGateway(gateway.snapshot)
    again.confirmed, again.used = gateway.confirmed, gateway.used
    gateway.stands = False
    for name in [name for name, held in by_name.items() if held is gateway]:
        if name in names:
            del by_name[name]
        else:
            by_name[name] = again
