"""A gateway of 1,000 tools: what its list costs beside nginx, which serves the same bytes, and a search in them."""

import tempfile
import urllib.request
from pathlib import Path
from typing import Any

import msgspec
import orjson

from bench.nginx import BINARY, nginx_serving
from bench.orders import MARKER, Target, call_templates
from bench.rows.found import Found
from bench.stand import Case, Stand

_QUERY = "say back a text"


def lists(stand: Stand) -> Found:
    """Pages of `tools/list`, in turn; `lists_ratio_to_nginx` is of the CPU of a page."""
    pages = _pages(stand)
    targets = [Target(stand.running.many_tools.path, cursor) for cursor, _ in pages]
    ours = Case("lists", stand.ours, stand.orders(targets=targets, method="tools/list", marked=1))
    if BINARY is None:
        stand.notes.append("nginx is not installed, so there is no lists_ratio_to_nginx (apt-get install nginx).")
        return Found(stand.alternate([ours]).lines())
    with tempfile.TemporaryDirectory(prefix="archway-bench-pages-") as folder:
        Path(folder).chmod(0o755)  # its worker may be another user
        for number, (_, body) in enumerate(pages):
            (Path(folder) / f"{number}.json").write_bytes(body)
        with nginx_serving(Path(folder), pin=stand.plan.pin) as nginx:
            files = [Target(f"/{number}.json", "") for number in range(len(pages))]
            theirs = Case("lists_nginx", nginx, stand.orders(targets=files, method="tools/list", marked=0))
            rounds = stand.alternate([ours, theirs])
    size = sum(len(body) for _, body in pages)
    lines = {"lists_kib_of_all_pages": size / 1024, "lists_ratio_to_nginx": rounds.ratio("lists", "lists_nginx")}
    return Found(lines | rounds.lines(), rounds.seen)


def searches(stand: Stand) -> Found:
    """`search_tools` by one caller after the other, for its p50, and by 64 at once, for what one costs."""
    usual: dict[str, Any] = {"targets": [stand.running.searched], "arguments": {"query": _QUERY}, "marked": 1}
    alone = Case("searches_alone", stand.ours, stand.orders(connections=1, **usual))
    rounds = stand.alternate([alone, Case("searches", stand.ours, stand.orders(**usual))])
    return Found(rounds.lines(), rounds.seen)


def _pages(stand: Stand) -> list[tuple[str, bytes]]:
    """The cursor and the answer of every page, the first with none."""
    orders = msgspec.structs.replace(stand.orders(), url=stand.ours.url, method="tools/list")
    found: list[tuple[str, bytes]] = []
    cursor: str | None = ""
    while cursor is not None:
        one = msgspec.structs.replace(orders, targets=[Target(stand.running.many_tools.path, cursor)])
        head, _, body = (call_templates(one)[0] % (MARKER % (0, 0), MARKER % (0, 0))).partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        request = urllib.request.Request(one.url + one.targets[0].path, body, headers)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            found.append((cursor, answer.read()))
        cursor = orjson.loads(found[-1][1])["result"].get("nextCursor")
    return found
