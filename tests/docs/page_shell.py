"""Runs the blocks of a page in their order, in one shell, as a person who follows the page would.

Ports and placeholders of the page are replaced, so that many can run on one machine: every number of four digits that
begins with 84, 94 or 95 is a port, the known ones (`Place.ports`) by their number and the others by a free one each;
`arch_...` is the last token that was printed. Everything else is run as it is written.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psutil

from archway.up.ports import free_port
from tests.docs.page_blocks import Block

ROOT = Path(__file__).resolve().parents[2]
ENDS_WITHIN_S = 120.0
STANDS_WITHIN_S = 60.0
_PORT = re.compile(r"(?<![\d.-])(?:84|94|95)\d\d(?![\d.])")
_TOKEN = re.compile(r"arch_[0-9A-Za-z]{20,}")
_PROGRAMS = {"python": "python", "js": "node"}
_DIES_WITH_US = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []


class PageBroken(AssertionError):
    """A block did not do what the page promises; the message names the line and shows what was said."""


@dataclass(slots=True)
class Place:
    """Where a page is run: a folder, variables, and what its placeholders are here."""

    folder: Path
    environment: Mapping[str, str]
    ports: dict[str, int] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    """Texts of the page and what stands for them here, such as a host's name."""
    token: str = "arch_..."

    def put_in(self, text: str) -> str:
        """The text of a block with everything replaced."""
        for word, here in self.words.items():
            text = text.replace(word, here)
        text = _PORT.sub(lambda port: str(self.ports.setdefault(port[0], 0) or self._free(port[0])), text)
        return text.replace("arch_...", self.token)

    def _free(self, port: str) -> int:
        self.ports[port] = free_port()
        return self.ports[port]


class PageShell:
    """One bash in which blocks are run one after another. A block that fails ends it, and raises."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.said = ""
        """What the last block printed."""
        self._stay_on: dict[str, int] = {}
        self._count = 0
        self._process = subprocess.Popen(
            [*_DIES_WITH_US, "bash", "--noprofile", "--norc"], cwd=place.folder, env=dict(place.environment),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> PageShell:
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        group = self._process.pid  # programs that stay are of the shell's group
        _tell(group, signal.SIGTERM)
        deadline = time.monotonic() + ENDS_WITHIN_S
        while self._process.poll() is None or _tell(group, 0):
            if time.monotonic() > deadline:
                _tell(group, signal.SIGKILL)
            time.sleep(0.05)
        self._process.stdout.close()

    def do(self, block: Block) -> None:
        """Whatever the block's comment asks for; raises PageBroken."""
        text = self.place.put_in(block.text)
        match block.does:
            case "run" | "run, fails" | "run with":
                self._run(block, text)
            case "stays":
                self._stay(block, text)
            case "stops":
                self._stop(block.what)
            case "prints":
                missing = first_missing(text, self.said)
                if missing is not None:
                    raise PageBroken(f"line {block.line}: nothing printed is like {missing!r}; printed:\n{self.said}")
            case "file" | "adds to":
                mode = "w" if block.does == "file" else "a"
                with (self.place.folder / block.what).open(mode) as file:
                    file.write(text)

    def _run(self, block: Block, text: str) -> None:
        program = block.what or _PROGRAMS.get(block.language, "")
        script = self._script(text, ".mjs" if block.language == "js" else ".sh")
        command = f"{program} ./{script}" if program else f". ./{script}"
        fails = block.does == "run, fails"
        status = self._type(f"({command})" if fails else f"set -e; {command}; set +e", block)
        if (status == 0) == fails:
            raise PageBroken(f"line {block.line}: ended with status {status}; it said:\n{self.said}")
        found = _TOKEN.findall(self.said)
        self.place.token = found[-1] if found else self.place.token

    def _stay(self, block: Block, text: str) -> None:
        script, port = self._script(text, ".sh"), int(self.place.put_in(block.what))
        log = self.place.folder / f"{script}.log"
        self._type(f"(. ./{script}) </dev/null >{log.name} 2>&1 & echo $!", block)
        self._stay_on[block.what] = int(self.said)
        deadline = time.monotonic() + STANDS_WITHIN_S
        while not _answers(port):
            if time.monotonic() > deadline:
                raise PageBroken(f"line {block.line}: nothing listens on {port}; it said:\n{log.read_text()[-3000:]}")
            time.sleep(0.1)

    def _stop(self, port: str) -> None:
        """Ends what stays on this port of the page, and waits for it."""
        shell = psutil.Process(self._stay_on.pop(port))
        programs = [*shell.children(recursive=True), shell]
        for one in programs:
            with contextlib.suppress(psutil.NoSuchProcess):  # a shell may end when its program does
                one.terminate()
        _, left = psutil.wait_procs(programs, ENDS_WITHIN_S)
        assert not left

    def _script(self, text: str, ending: str) -> str:
        self._count += 1
        name = f"block-{self._count}{ending}"
        (self.place.folder / name).write_text(text)
        return name

    def _type(self, line: str, block: Block) -> int:
        """The exit status of a line; what was printed is in `said`."""
        mark = f"end-of-block-{self._count}:"
        assert self._process.stdin
        assert self._process.poll() is None
        self._process.stdin.write(f"{line}\nprintf '\\n{mark}%s\\n' $?\n".encode())
        self._process.stdin.flush()
        self.said = ""
        for piece in self._printed(block):
            self.said += piece
            before, found, after = self.said.partition(f"\n{mark}")
            if found and after.endswith("\n"):
                self.said = before
                return int(after)
        status = self._process.wait(10)
        raise PageBroken(f"line {block.line}: ended the shell with status {status}; it said:\n{self.said}")

    def _printed(self, block: Block) -> Iterator[str]:
        """What the shell prints, until it ends; raises when a block takes too long."""
        assert self._process.stdout
        deadline = time.monotonic() + ENDS_WITHIN_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while selector.select(max(0.0, deadline - time.monotonic())):
                piece = os.read(self._process.stdout.fileno(), 1 << 16)
                if not piece:
                    return
                yield piece.decode(errors="replace")
        raise PageBroken(f"line {block.line}: no end within {ENDS_WITHIN_S:.0f} s; it said so far:\n{self.said}")


def first_missing(shown: str, printed: str) -> str | None:
    """The first line that a page shows and that was not printed after the ones before it; None when all were.

    `...` stands for anything; how wide a gap between words is does not matter.
    """
    lines = iter(printed.splitlines())
    for line in filter(str.strip, shown.splitlines()):
        parts = [r"\s+".join(map(re.escape, part.split())) for part in line.strip().split("...")]
        wanted = re.compile(r"\s*" + r"\s*.*\s*".join(parts) + r"\s*")
        if not any(wanted.fullmatch(one) for one in lines):
            return line
    return None


def workplace(folder: Path, **more: str) -> tuple[Path, dict[str, str]]:
    """A folder like that of a clone, and an environment in which its programs are found and nothing is set."""
    for name in (".venv", ".tools", "bench", "tools", "Makefile"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "node_modules").symlink_to(ROOT / ".tools" / "npm" / "node_modules")
    path = f"{ROOT}/.venv/bin:{ROOT}/.tools/bin:{os.environ['PATH']}"
    return folder, {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", "COLUMNS": "200", **more}


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _tell(group: int, number: int) -> bool:
    """Whether there was anybody to tell."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True
