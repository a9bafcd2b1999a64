"""One of our parsers under atheris, which keeps what reaches new code of it. Run by `make fuzz`.

    python -m tests.fuzz.fuzz_parsers PARSER [options of libFuzzer] [folders of inputs]

What the parser does not read or refuse in its own words is printed, and kept as `crash-*`: put it into the parser's
folder of `tests/fuzz/corpora` under a name that tells the story, and it is tested ever after.
"""

import sys

import atheris

with atheris.instrument_imports(include=["core.mcp", "core.sealing", "proxy.sessions"]):
    from tests.fuzz.parsers import PARSERS

LONGEST = 4096


def main() -> None:
    """Fuzz until libFuzzer has had enough; it ends the program itself."""
    name, *options = sys.argv[1:]
    atheris.Setup([sys.argv[0], *options, f"-max_len={LONGEST}"], PARSERS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
