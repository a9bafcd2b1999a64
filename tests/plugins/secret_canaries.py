"""A pytest plugin: made-up secrets, and the proof that none of them is found where secrets do not belong.

    def test_a_bearer_is_never_logged(canary, ...):
        secret = canary("bearer")             # unique text that occurs nowhere else
        ...                                   # send it where secrets go, on good paths and bad ones
                                              # nothing to assert: the scan comes by itself after the test

After the body of a test, and before its fixtures go, every canary that this session has made is looked for in:
- the test's log records of every level, its output and its error output (for tests that use `canary`);
- every sink: `sinks.add(name, read)` with a function returning bytes or text, called at each scan (Redis values, a
  table as text, a server's log file, `command_lines`); `sinks.feed(name, data)` for what is awaited or passes by
  (error bodies, metrics pages).
A canary is found raw, in base64 and in hex. One that a fixture of another kind made (a real token) is taught by
`canary.watch(name, secret)`. Sinks of a longer-lived fixture leave with `sinks.remove(name)`.
"""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Read = Callable[[], bytes | str]
SHORTEST = 12  # a shorter secret would be found by chance


class Sinks:
    """Where secrets must not appear. One for the session, so that long-lived servers can register theirs once."""

    __slots__ = ("_fed", "_readers")

    def __init__(self) -> None:
        self._readers: dict[str, Read] = {}
        self._fed: dict[str, list[bytes]] = {}

    def add(self, name: str, read: Read) -> None:
        self._readers[name] = read

    def remove(self, name: str) -> None:
        self._readers.pop(name, None)

    def feed(self, name: str, data: bytes | str) -> None:
        """Hand over what was seen; kept until the next scan."""
        self._fed.setdefault(name, []).append(_bytes(data))

    def contents(self) -> Iterator[tuple[str, bytes]]:
        fed, self._fed = self._fed, {}
        for name, parts in fed.items():
            yield name, b"\n".join(parts)
        for name, read in self._readers.items():
            yield name, _bytes(read())


class Canaries:
    """The made-up secrets of one session."""

    __slots__ = ("_needles",)

    def __init__(self) -> None:
        self._needles: dict[str, tuple[bytes, ...]] = {}

    def __call__(self, name: str) -> str:
        """A fresh secret: visible ASCII, no character that any encoding escapes."""
        secret = f"canary{secrets.token_hex(16)}"
        self.watch(name, secret)
        return secret

    def watch(self, name: str, secret: str) -> None:
        if len(secret) < SHORTEST:
            raise ValueError(f"canary {name}: give at least {SHORTEST} characters, or chance will find it")
        self._needles[f"{name} {len(self._needles)}"] = _shapes(secret.encode())

    def hits(self, sink: str, content: bytes) -> list[str]:
        """Which canaries this content holds; the sentence never shows the secret itself."""
        lowered = content.lower()
        return [
            f"canary {name!r} was found in {sink}"
            for name, (raw, hexed, *encoded) in self._needles.items()
            if raw in content or hexed in lowered or any(one in content for one in encoded)
        ]


class EveryRecord(logging.Handler):
    """Keeps each log record of one test as text, with its fields: a secret may ride in `extra`."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{self.format(record)} {record.__dict__!r}")


def command_lines() -> bytes:
    """A sink: the command line of every process on this machine (any user may read it)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes())
        except OSError:  # the process has ended
            continue
    return b"\n".join(found)


_CANARIES = pytest.StashKey[Canaries]()
_SINKS = pytest.StashKey[Sinks]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_CANARIES] = Canaries()
    config.stash[_SINKS] = Sinks()
    config.stash[_SINKS].add("the command line of a process", command_lines)


@pytest.fixture(scope="session")
def sinks(pytestconfig: pytest.Config) -> Sinks:
    return pytestconfig.stash[_SINKS]


@pytest.fixture
def canary(pytestconfig: pytest.Config) -> Canaries:
    return pytestconfig.stash[_CANARIES]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Scan while the test's fixtures still live."""
    if "canary" not in getattr(item, "fixturenames", ()):
        return (yield)
    root, records = logging.getLogger(), EveryRecord()
    level = root.level
    root.addHandler(records)
    root.setLevel(logging.DEBUG)
    try:
        result = yield
    finally:
        root.setLevel(level)
        root.removeHandler(records)
    config = item.config
    contents = [("the log", "\n".join(records.lines).encode()), *config.stash[_SINKS].contents()]
    _refuse([hit for name, content in contents for hit in config.stash[_CANARIES].hits(name, content)])
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[None]:  # pytest's own types say Generator[None, TestReport, TestReport]
    """Scan what pytest captured of the output; it is there only once the report is made."""
    report = yield
    if "canary" not in getattr(item, "fixturenames", ()) or not report.passed:
        return report
    canaries = item.config.stash[_CANARIES]
    found = [hit for title, text in report.sections for hit in canaries.hits(title.lower(), _bytes(text))]
    if found:
        report.outcome = "failed"
        report.longrepr = "\n".join(found)
    return report


def _refuse(found: list[str]) -> None:
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def _shapes(secret: bytes) -> tuple[bytes, ...]:
    """The secret raw, in hex, and in base64 at each of the three positions it may have within other text.

    Of the base64 only the middle is kept, which does not depend on what stands before and after.
    """
    encoded = []
    for before in range(3):
        start = -before % 3
        whole = secret[start : start + (len(secret) - start) // 3 * 3]
        encoded.append(base64.b64encode(whole))
    urlsafe = [one.translate(bytes.maketrans(b"+/", b"-_")) for one in encoded]
    return (secret, secret.hex().encode(), *encoded, *urlsafe)


def _bytes(data: bytes | str) -> bytes:
    return data if isinstance(data, bytes) else data.encode("utf-8", "backslashreplace")
