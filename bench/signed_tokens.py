"""What a call costs by what its caller shows, in one process: `python -m bench.signed_tokens`.

An `arch_` token, an access token of ours, and a provider's own tokens in two lengths; and by what the server then
gets for its caller: an exchanged token, a statement, the caller's own token. Each by a worker of its own
(`bench/rig.py`). Batches alternate, so that what the machine does besides is unfair to all alike: a ratio is the
median of those of neighbouring batches. Warm calls go by their plan; `first` ones come with a head that was not seen
and a token that was not checked, while the verdict on its bearer is known: what asking control adds,
`bench/rows/many_callers.py` tells.
"""

import argparse
import asyncio
import gc
import statistics

import uvloop

from bench.credentials import WAYS
from bench.rig import Rig
from proxy.garbage import collect_seldom

_WARM_CALLS, _FIRST_CALLS = 64, 8
"""Of a batch: few, so that neighbours stand close to each other and some batches are disturbed by nothing."""
_STATIC = WAYS[0]


async def measured(batches: int, form: str = "json") -> dict[str, float]:
    """Microseconds a call by way, and their ratios to those with a static token: `<way>_us`, `<way>_first_us`,
    `<way>_ratio_to_static` and `<way>_first_ratio_to_static`; the same with `least` of what took least."""
    rigs = {way: await Rig(form, {}, way).ready() for way in WAYS}
    rigs["static_exchanged"] = await Rig(form, {}, "static", gets="exchanged").ready()
    rigs["static_told"] = await Rig(form, {}, "static", gets="told").ready()
    rigs["jwt_passed_on"] = await Rig(form, {}, "jwt", gets="passed_on").ready()
    for rig in rigs.values():
        for _ in range(20):
            rig.batch()
    gc.collect()
    gc.freeze()
    seen: dict[str, list[float]] = {}
    for _ in range(batches):
        for way, rig in rigs.items():
            seen.setdefault(way, []).append(rig.batch(_WARM_CALLS))
        await asyncio.sleep(0)
    for _ in range(batches):
        for way, rig in rigs.items():
            seen.setdefault(f"{way}_first", []).append(await rig.first_batch(_FIRST_CALLS))
    return _told(seen)


def _told(seen: dict[str, list[float]]) -> dict[str, float]:
    """Medians, leasts, and both as ratios."""
    lines = {f"{name}_us": statistics.median(costs) for name, costs in seen.items()}
    lines |= {f"{name}_least_us": min(costs) for name, costs in seen.items()}
    for name, costs in seen.items():
        to = seen[f"{_STATIC}_first" if name.endswith("_first") else _STATIC]
        if costs is not to:
            pairs = zip(costs, to, strict=True)
            lines[f"{name}_ratio_to_static"] = statistics.median(one / other for one, other in pairs)
            lines[f"{name}_least_ratio_to_static"] = min(costs) / min(to)
    return lines


def main() -> None:
    """The program: prints `signed_tokens_<name>: value`."""
    parser = argparse.ArgumentParser(prog="python -m bench.signed_tokens", description=__doc__.partition("\n")[0])
    parser.add_argument("--batches", type=int, default=800, help="of each way, of 64 warm calls and of 8 first ones")
    told = parser.parse_args()
    collect_seldom()
    for name, value in uvloop.run(measured(told.batches)).items():
        print(f"signed_tokens_{name}: {value:.3f}")


if __name__ == "__main__":
    main()
