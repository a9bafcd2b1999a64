"""Our parsers of what strangers send, with every input that is kept in `corpora`, and with whatever comes."""

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from core.mcp.methods import META_CLIENT_CAPABILITIES, META_LOG_LEVEL, META_PROTOCOL_VERSION
from core.mcp.versions import LEGACY_VERSIONS, MODERN
from tests.fuzz.parsers import PARSERS

CORPORA = Path(__file__).parent / "corpora"
whatever_comes = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)

VERSIONS = st.sampled_from(["", MODERN, *LEGACY_VERSIONS, "2099-01-01", f" {MODERN}\t"])
NAMES = st.sampled_from(["", "t", "=?base64?dA==?=", "=?base64?dA=?=", " t ", "x"])
METHODS = st.sampled_from(["", "tools/call", "tools/list", "initialize", "notifications/cancelled", "no/such"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=4), inside, max_size=3),
    max_leaves=6,
)
META = st.fixed_dictionaries(
    {},
    optional={
        META_PROTOCOL_VERSION: VERSIONS | VALUES,
        META_CLIENT_CAPABILITIES: st.just({}) | VALUES,
        META_LOG_LEVEL: st.just("info") | VALUES,
        "progressToken": VALUES,
    },
)
PARAMS = st.fixed_dictionaries(
    {}, optional={"name": st.just("t") | VALUES, "arguments": VALUES, "_meta": META | VALUES}
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | VALUES,
        "id": st.integers(0, 9) | st.text(max_size=300) | VALUES,
        "method": METHODS | VALUES,
        "params": PARAMS | VALUES,
        "result": VALUES,
        "error": st.just({"code": 1, "message": ""}) | VALUES,
    },
)
BODIES = (MESSAGES | st.lists(MESSAGES, max_size=3) | VALUES).map(orjson.dumps) | st.binary(max_size=40)
POSTS = st.tuples(VERSIONS, METHODS, NAMES, BODIES).map(
    lambda parts: b"\n".join([*(one.encode() for one in parts[:3]), parts[3]])
)
LINES = st.lists(
    st.sampled_from([b"data: x", b"data:", b"data", b"event: e", b": c", b"id: 1", b"retry: 9", b"", b"\xef\xbb\xbf"])
    | st.binary(max_size=12),
    max_size=20,
)
STREAMS = st.tuples(LINES, st.sampled_from([b"\n", b"\r", b"\r\n"])).map(lambda parts: parts[1].join(parts[0]))
SENTINELS = st.text(max_size=12).map(lambda text: b"=?base64?%b?=" % text.encode("utf-8", "replace"))
STATES = st.tuples(st.sampled_from([b"t", b"c", b"s", b"x"]), st.binary(max_size=40)).map(b"".join)


@pytest.mark.parametrize("parser", list(PARSERS))
def test_what_is_kept_for_a_parser_is_read_or_refused_in_its_own_words(parser: str) -> None:
    kept = sorted((CORPORA / parser).iterdir())
    assert kept
    for path in kept:
        try:
            PARSERS[parser](path.read_bytes())
        except Exception as wrong:
            wrong.add_note(f"with {path.name}")
            raise


def test_all_corpora_together_stay_small() -> None:
    sizes = [path.stat().st_size for path in CORPORA.rglob("*") if path.is_file()]
    assert len(sizes) < 200
    assert max(sizes) <= 16 << 10


@pytest.mark.parametrize(
    ("parser", "inputs"),
    [
        ("message", POSTS),
        ("header_sentinel", SENTINELS | st.binary(max_size=40)),
        ("event_stream", STREAMS | st.binary(max_size=80)),
        ("state", STATES),
    ],
)
def test_whatever_comes_is_read_or_refused_in_its_own_words(parser: str, inputs: st.SearchStrategy[bytes]) -> None:
    check: Callable[[bytes], None] = PARSERS[parser]
    whatever_comes(given(inputs)(check))()
