"""No module holds state: nothing at its top changes after the import, but for what is named here with its reason.

So it is with a class: what its objects count or keep is in the objects.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.house.tracked import ROOT, SOURCE, python_files

ALLOWED = {
    # Reserves of identifiers: no two calls of one process may get the same, whoever asks.
    ("core/identifiers.py", "_tails"),
    ("core/identifiers.py", "_last_clock"),
    ("proxy/upstream/outbound.py", "_ids"),
}
CHANGING = {
    "add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "put", "remove",
    "setdefault", "update",
}  # fmt: skip
# What begins empty, or changes when it is used.
CHANGEABLE = {
    "Bounded", "Condition", "ContextVar", "Counter", "Event", "Lock", "OrderedDict", "Queue", "Recent", "Semaphore",
    "Tasks", "TwoAgeCache", "WeakKeyDictionary", "WeakSet", "WeakValueDictionary", "bytearray", "count", "cycle",
    "defaultdict", "deque", "iter", "local",
}  # fmt: skip
Function = ast.FunctionDef | ast.AsyncFunctionDef


def state_in(source: str) -> set[str]:
    """The names of a module in which it keeps something, and its functions that remember without a bound."""
    module = ast.parse(source)
    at_top = dict(_assigned(module))
    makers = {one.name for one in module.body if isinstance(one, ast.FunctionDef) and _yields(one)}
    classes = {one.name for one in module.body if isinstance(one, ast.ClassDef)} | _imported_classes(module)
    found = {name for name, value in at_top.items() if _is_changeable(value, makers)}
    for node in ast.walk(module):
        if isinstance(node, ast.Global):
            found.update(node.names)
        if isinstance(node, Function):
            found.update(_changed(node) & (at_top.keys() - _own(node)))
            found.update(_attributes_set(node) & (classes - _own(node) | {"cls"}))
            if any(_remembers_without_bound(one, node) for one in node.decorator_list):
                found.add(node.name)
    return found


def _assigned(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in module.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        yield from ((one.id, value) for one in targets if isinstance(one, ast.Name) and value is not None)


def _yields(function: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


def _is_changeable(value: ast.expr, makers: set[str]) -> bool:
    if isinstance(value, ast.Dict):
        return not value.keys
    if isinstance(value, ast.List):
        return not value.elts
    if isinstance(value, ast.GeneratorExp):
        return True
    if not isinstance(value, ast.Call):
        return False
    called = value.func.value if isinstance(value.func, ast.Subscript) else value.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    empty = name in {"dict", "list", "set"} and not value.args and not value.keywords
    return empty or name in CHANGEABLE or name in makers


def _own(function: Function) -> set[str]:
    """Names that mean something else inside of the function."""
    arguments = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
    stored = {one.id for one in ast.walk(function) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    return arguments | stored


def _changed(function: Function) -> set[str]:
    """Names whose object the function's body changes."""
    changed = set()
    for node in (inner for statement in function.body for inner in ast.walk(statement)):
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            changed.add(getattr(node.value, "id", ""))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
            changed.add(getattr(node.func.value, "id", ""))
    return changed


def _imported_classes(module: ast.Module) -> set[str]:
    names = {one.asname or one.name for node in module.body if isinstance(node, ast.ImportFrom) for one in node.names}
    return {name for name in names if name.lstrip("_")[:1].isupper() and not name.isupper()}


def _attributes_set(function: Function) -> set[str]:
    """Names whose attributes the function's body sets."""
    return {
        getattr(node.value, "id", "")
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del)
    }


def _remembers_without_bound(decorator: ast.expr, function: Function) -> bool:
    text = ast.unparse(decorator).removeprefix("functools.")
    takes_something = any(isinstance(one, ast.arg) for one in ast.walk(function.args))
    return takes_something and (text in {"cache", "lru_cache"} or text.startswith("lru_cache()"))


def test_nothing_at_the_top_of_a_module_changes() -> None:
    found = {(path, name) for path in python_files(*SOURCE, "bridge") for name in state_in((ROOT / path).read_text())}
    assert not found - ALLOWED, "give it to an object that somebody makes, or name it here with its reason"
    assert not ALLOWED - found, "take these out of ALLOWED"


@pytest.mark.parametrize(
    "source",
    [
        "x: dict[str, int] = {}",
        "x = []",
        "x = set()",
        "x = collections.OrderedDict()",
        "x = Bounded[str, int](3)",
        "x = itertools.count()",
        "x = (n for n in y)",
        "def made():\n    yield 1\nx = made()",
        "def f():\n    global x\n    x = 1",
        "x = {1: 2}\ndef f():\n    x[2] = 3",
        "x = {1: 2}\ndef f():\n    del x[1]",
        "x = {1: 2}\nclass A:\n    async def f(self):\n        x.update(y)",
        "x = Thing()\ndef f():\n    x.known = 1",
        "@cache\ndef x(y): ...",
        "@functools.lru_cache\ndef x(*, y): ...",
        "@lru_cache()\ndef x(y): ...",
    ],
)
def test_state_is_seen(source: str) -> None:
    assert state_in(source) == {"x"}


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("class A:\n    n = 0\n    def f(self):\n        A.n += 1", "A"),
        ("class A:\n    n = 0\nclass B:\n    async def f(self):\n        A.n = 1", "A"),
        ("from m import Held\ndef f():\n    Held.n = 1", "Held"),
        ("class A:\n    @classmethod\n    def f(cls):\n        cls.n += 1", "cls"),
    ],
)
def test_state_in_a_class_is_seen(source: str, name: str) -> None:
    assert state_in(source) == {name}


@pytest.mark.parametrize(
    "source",
    [
        "class A:\n    n = 0\n    def f(self):\n        self.n += A.n",
        "class A:\n    n = 0\ndef f(A):\n    A.n = 1",
        "x = {1: 2}\ndef f():\n    return x[1]",
        "x = frozenset()",
        "x = {1: 2}\ndef f(x):\n    x[2] = 3",
        "x = {1: 2}\ndef f():\n    x = {}\n    x[2] = 3",
        "x = Operations()\n@x.put('/y')\nasync def f(): ...",
        "x = {n: 1 for n in y}",
        "@cache\ndef x(): ...",
        "@lru_cache(16)\ndef x(y): ...",
    ],
)
def test_what_does_not_change_is_no_state(source: str) -> None:
    assert state_in(source) == set()
