"""One picture of a run, drawn with matplotlib where it is installed (the extra `bench`)."""

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIDES = {"fast": "#1b7f5c", "nginx": "#7a7a7a", "aiohttp": "#c2693b"}
_ALLOWED = 0.15


def plot(lines: dict[str, float], facts: dict[str, Any], target: Path) -> Path | None:
    """Write an SVG with four panels; None where matplotlib is missing or there is nothing to draw."""
    if importlib.util.find_spec("matplotlib") is None or not lines:
        return None
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 9), layout="constrained")
    FigureCanvasSVG(figure)
    panels = figure.subplots(2, 2)
    _costs(panels[0][0], lines)
    _over_connections(panels[0][1], lines, "calls_per_second", "calls a second, by connections")
    _ratios(panels[1][0], lines)
    _stages(panels[1][1], lines) if _named(lines, r"stage_(.+)_us") else _over_connections(
        panels[1][1], lines, "p99_ms", "p99 in ms, by connections"
    )
    about = f"{facts['processor']}, {facts['cores']} cores, Python {facts['python']}, {facts['when'][:10]}"
    figure.suptitle(f"Archway {facts['commit']} on {about}", fontsize=10)
    figure.savefig(target)
    return target


def _named(lines: dict[str, float], pattern: str) -> dict[str, float]:
    """Lines by what the pattern's group finds in their names."""
    found = ((re.fullmatch(pattern, name), value) for name, value in lines.items())
    return {match.group(1): value for match, value in found if match is not None}


def _costs(panel: "Axes", lines: dict[str, float]) -> None:
    costs = {side: lines[f"{side}_cpu_us_per_call"] for side in _SIDES if f"{side}_cpu_us_per_call" in lines}
    bars = panel.bar(list(costs), list(costs.values()), color=[_SIDES[side] for side in costs])
    panel.bar_label(bars, fmt="%.1f")
    panel.set_title("CPU of one call in microseconds, 64 connections", fontsize=9)


def _over_connections(panel: "Axes", lines: dict[str, float], figure: str, title: str) -> None:
    for side, colour in _SIDES.items():
        points = sorted((int(n), value) for n, value in _named(lines, rf"{side}_at_(\d+)_{figure}").items())
        if points:
            panel.plot([n for n, _ in points], [value for _, value in points], "o-", color=colour, label=side)
    panel.set_title(title, fontsize=9)
    if panel.lines:
        counts = sorted({int(n) for side in _SIDES for n in _named(lines, rf"{side}_at_(\d+)_{figure}")})
        panel.set_xscale("log", base=2)
        panel.set_xticks(counts, [str(n) for n in counts])
        panel.legend()


def _ratios(panel: "Axes", lines: dict[str, float]) -> None:
    ratios = _named(lines, r"(.+)_ratio_to_plain") | _named(lines, r"(beside_streams)_ratio")
    panel.barh(list(ratios), list(ratios.values()), color=_SIDES["fast"])
    panel.axvspan(1 - _ALLOWED, 1 + _ALLOWED, color="#dddddd", zorder=0)
    panel.axvline(1, color="#555555", linewidth=1)
    panel.set_title("CPU of a call beside the plain one's (grey: within 15 %)", fontsize=9)


def _stages(panel: "Axes", lines: dict[str, float]) -> None:
    costs = _named(lines, r"stage_(.+)_us")
    whole = costs.pop("in_all", sum(costs.values()))
    panel.barh(list(costs)[::-1], list(costs.values())[::-1], color=_SIDES["fast"])
    panel.set_title(f"microseconds by stage; {whole:.1f} in all, without listener and server", fontsize=9)
