"""Which tools of a gateway fit words: BM25 over what their definitions say, the name before all (tantivy).

A definition is one text, in which a name stands six times and what is told of an argument once: so a word counts by
how rare it is in all of a gateway's definitions, and not in their names alone. An index is made once for each
snapshot that wants one, off the calls' path (`proxy/search_indexes.py`); looking into it takes about a tenth of a
millisecond. Words are taken as words: nothing in a query is an operator.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import tantivy

_TIMES: Final = {"name": 6, "title": 4, "description": 3, "arguments": 2, "told": 1}
"""How often a text is in the whole, by what it is: names and descriptions of arguments are the last two."""
_SAY_NOTHING: Final = (
    "a about am an and another any are as at be been by can could do does each every for from has have how i if in "
    "into is it its just let me my need now of on one or other our out please should so some that the their them "
    "then there these they this those to us want was we were what when where which who will with would you your"
)
"""Words of questions that tell nothing of what a tool does."""
_LEFT_OUT: Final = frozenset(_SAY_NOTHING.split())
_LOOKED_AT: Final = 50
"""Tools that a search finds at most: more than a caller is told, since some may not be there any more."""
_HEAP: Final = 15 << 20
_WORD: Final = re.compile(r"[^\W_]+")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
MOST_TEXT: Final = 20_000
"""Characters of one field that are looked at."""


class ToolSearch:
    """The index of one gateway's tools: `add` each, then `finish`, and then `find`."""

    def __init__(self) -> None:
        self._names: list[str] = []
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("text", tokenizer_name="en_stem")
        builder.add_integer_field("at", stored=True)
        self._index = tantivy.Index(builder.build())
        self._writer = self._index.writer(_HEAP, 1)

    def add(self, definition: Mapping[str, Any]) -> None:
        """Take in one tool, which takes some hundredths of a millisecond."""
        self._writer.add_document(tantivy.Document(at=len(self._names), text=_text(definition)))
        self._names.append(definition["name"])

    def finish(self) -> None:
        """No more tools come; those that did are found from here on. Waits for threads that write the index."""
        self._writer.commit()
        self._writer.wait_merging_threads()
        self._index.reload()

    def find(self, query: str) -> list[str]:
        """The names of the tools that fit best, the best first; in the order of names where they fit alike."""
        words = _words(query)
        if not words:
            return []
        parsed = self._index.parse_query(words, ["text"])
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


def _text(definition: Mapping[str, Any]) -> str:
    arguments = list(_arguments(definition.get("inputSchema")))
    parts = {
        "name": definition["name"],
        "title": str(definition.get("title", "")),
        "description": str(definition.get("description", "")),
        "arguments": " ".join(name for name, _ in arguments),
        "told": " ".join(told for _, told in arguments),
    }
    return " ".join(word for part, text in parts.items() for word in [_words(text)] * _TIMES[part])


def _arguments(schema: object) -> Iterator[tuple[str, str]]:
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    for name, one in properties.items() if isinstance(properties, Mapping) else ():
        yield str(name), str(one.get("description", "")) if isinstance(one, Mapping) else ""


def _words(text: str) -> str:
    """The words of a text that tell something, those of `camelCase` and `snake_case` one by one."""
    words = _WORD.findall(_HUMP.sub(" ", text[:MOST_TEXT]).lower())
    return " ".join(word for word in words if word not in _LEFT_OUT)
