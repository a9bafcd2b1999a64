"""JSON and event-stream answers of 1, 10 and 100 KB, beside nginx, which passes the same bytes on."""

from bench.rows.found import Found
from bench.stand import Case, Stand

SIZES_KB = (1, 10, 100)


def sizes(stand: Stand) -> Found:
    """Lines are named `<side>_<json|stream>_<size>kb_<figure>`, and the ratio to nginx of each."""
    sides = [side for side in (stand.ours, stand.nginx) if side is not None]
    kinds = [(form, kb) for kb in SIZES_KB for form in ("json", "stream")]
    cases = [
        Case(f"{side.name}_{form}_{kb}kb", side, stand.orders(arguments=_asked(form, kb)))
        for form, kb in kinds
        for side in sides
    ]
    rounds = stand.alternate(cases, max(1, stand.plan.few_rounds - 1))
    lines = rounds.lines()
    if stand.nginx is not None:
        for form, kb in kinds:
            ours, other = f"{stand.ours.name}_{form}_{kb}kb", f"{stand.nginx.name}_{form}_{kb}kb"
            lines[f"{form}_{kb}kb_ratio_to_nginx"] = rounds.ratio(ours, other)
    return Found(lines, rounds.seen)


def _asked(form: str, kb: int) -> dict[str, int | float | bool]:
    return {"size": 1000 * kb, "stream": form == "stream"}
