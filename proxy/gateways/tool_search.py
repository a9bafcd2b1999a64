"""Which tools of a gateway fit words: BM25 over what their definitions say, the name before all (tantivy).

An index is made once for each snapshot that wants one, off the calls' path (`proxy/search_indexes.py`); looking into
it takes about a tenth of a millisecond. Words are taken as words: nothing in a query is an operator.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import tantivy

_BOOSTS: Final = {"name": 10.0, "title": 6.0, "description": 3.0, "arguments": 2.0, "told": 1.0}
"""How much a word counts, by where it stands: names and descriptions of arguments are the last two."""
_LOOKED_AT: Final = 50
"""Tools that a search finds at most: more than a caller is told, since some may not be there any more."""
_HEAP: Final = 15 << 20
_WORD: Final = re.compile(r"[^\W_]+")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
MOST_TEXT: Final = 20_000
"""Characters of one field that are looked at."""


class ToolSearch:
    """The index of one gateway's tools."""

    def __init__(self, definitions: Iterable[Mapping[str, Any]]) -> None:
        self._names: list[str] = []
        builder = tantivy.SchemaBuilder()
        for field in _BOOSTS:
            builder.add_text_field(field, tokenizer_name="en_stem")
        builder.add_integer_field("at", stored=True)
        self._index = tantivy.Index(builder.build())
        writer = self._index.writer(_HEAP, 1)
        for at, definition in enumerate(definitions):
            writer.add_document(tantivy.Document(at=at, **_fields(definition)))
            self._names.append(definition["name"])
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()

    def find(self, query: str) -> list[str]:
        """The names of the tools that fit best, the best first; in the order of names where they fit alike."""
        words = _words(query)
        if not words:
            return []
        parsed = self._index.parse_query(words, list(_BOOSTS), field_boosts=_BOOSTS)
        searcher = self._index.searcher()
        found = searcher.search(parsed, _LOOKED_AT).hits
        hits = [(self._names[searcher.doc(address)["at"][0]], score or 0.0) for score, address in found]
        asked = query.strip().lower()
        hits.sort(key=lambda hit: (hit[0].lower() != asked, -hit[1], hit[0]))
        return [name for name, _ in hits]


def signature(definition: Mapping[str, Any]) -> str:
    """A tool's arguments in one line: `create_issue(repo: string, title: string, labels?: array)`."""
    schema = definition.get("inputSchema") or {}
    required = set(schema.get("required") or ())
    properties = schema.get("properties") or {}
    told = [f"{name}{'' if name in required else '?'}: {_type(one)}" for name, one in properties.items()]
    return f"{definition['name']}({', '.join(told)})"


def _type(schema: object) -> str:
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    if isinstance(kind, list):
        return " or ".join(str(one) for one in kind)
    return kind if isinstance(kind, str) else "any"


def _fields(definition: Mapping[str, Any]) -> dict[str, str]:
    arguments = list(_arguments(definition.get("inputSchema")))
    return {
        "name": _words(definition["name"]),
        "title": _words(str(definition.get("title", ""))),
        "description": _words(str(definition.get("description", ""))),
        "arguments": _words(" ".join(name for name, _ in arguments)),
        "told": _words(" ".join(told for _, told in arguments)),
    }


def _arguments(schema: object) -> Iterator[tuple[str, str]]:
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    for name, one in properties.items() if isinstance(properties, Mapping) else ():
        yield str(name), str(one.get("description", "")) if isinstance(one, Mapping) else ""


def _words(text: str) -> str:
    """The words of a text, those of `camelCase` and `snake_case` one by one."""
    return " ".join(_WORD.findall(_HUMP.sub(" ", text[:MOST_TEXT]))).lower()
