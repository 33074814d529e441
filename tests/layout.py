"""The layout of the source, checked by reading it: nothing is imported.

``python -m tests.layout`` prints what breaks the layout and exits with 1; ``make check`` runs it, and
``tests/test_layout.py`` runs the same checks and checks that they find what they should. The rules:

* Each module has a test file of its own, ``tests/<room>/test_<module>.py``, or an entry with its reason in
  :data:`TESTED_ELSEWHERE`. ``__init__.py`` needs neither: what it holds is what its room offers.
* No room but ``core/`` holds more than :data:`ROOM_LIMIT` modules.
* No module imports itself in a circle at module level. import-linter's ``acyclic_siblings`` keeps the rooms free of
  circles, but it compares siblings only: a package and a module of its own may import each other without its
  noticing. Imports for the type checker count, because a circle of types is a circle of meanings; an import inside a
  function does not, because it runs after everything is loaded.
* A test's name begins with what it tests: see :func:`vague_names`.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.tested_elsewhere import TESTED_ELSEWHERE

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "emulator" / "voice_emulator"
TESTS = ROOT / "tests"
#: Most modules in one room, ``__init__.py`` apart.
ROOM_LIMIT = 25
#: The room that may hold more: it is flat on purpose.
FLAT = "core"

#: First words of a name that say nothing about what is tested: they refer to something said elsewhere.
VAGUE = frozenset(
    {
        "another", "anybody", "anything", "everybody", "everything", "he", "it", "its", "nobody", "nothing", "other",
        "others", "she", "so", "somebody", "something", "that", "their", "them", "there", "these", "they", "this",
        "those", "too", "who", "whoever", "whom", "whose",
    }
)  # fmt: skip
_TEST = re.compile(r"test_([a-z0-9]+)")


@dataclass(frozen=True, slots=True)
class Tree:
    """A source tree and its tests; ``elsewhere`` maps a module to the test file that covers it, and why."""

    package: Path = PACKAGE
    tests: Path = TESTS
    elsewhere: Mapping[str, tuple[str, str]] = field(default_factory=lambda: TESTED_ELSEWHERE)

    def modules(self) -> list[str]:
        """All modules as paths below the package, such as ``core/clock.py``."""
        return sorted(path.relative_to(self.package).as_posix() for path in self.package.rglob("*.py"))


def untested_modules(tree: Tree) -> Iterator[str]:
    """Modules with neither a test file nor an entry."""
    for module in _mirrored(tree):
        if not _test_file(tree, module).exists() and module not in tree.elsewhere:
            shown = _test_file(tree, module).relative_to(tree.tests.parent).as_posix()
            yield f"{module} has no tests: write {shown}, or say in tests/tested_elsewhere.py which tests cover it"


def stale_entries(tree: Tree) -> Iterator[str]:
    """Entries for a module that is gone or has tests of its own, and entries that name no test file or no reason."""
    modules = set(_mirrored(tree))
    for module, (where, reason) in tree.elsewhere.items():
        entry = f"the entry for {module} in tests/tested_elsewhere.py"
        if module not in modules:
            yield f"{entry} is stale: there is no such module"
        elif _test_file(tree, module).exists():
            yield f"{entry} is stale: the module has a test file of its own"
        elif not (tree.tests / where).is_file():
            yield f"{entry} names {where}, which is not a file in tests/"
        elif not reason.strip():
            yield f"{entry} gives no reason"


def crowded_rooms(tree: Tree) -> Iterator[str]:
    """Rooms that hold more than :data:`ROOM_LIMIT` modules."""
    rooms: dict[str, int] = {}
    for module in _mirrored(tree):
        room = module.rpartition("/")[0]
        rooms[room] = rooms.get(room, 0) + 1
    for room, count in rooms.items():
        if count > ROOM_LIMIT and room != FLAT:
            yield f"{room or 'the package'} holds {count} modules; at most {ROOM_LIMIT}: divide it"


def import_circles(tree: Tree) -> Iterator[str]:
    """Groups of modules that import each other at module level; of each group the shortest way round is shown."""
    graph = _imports(tree)
    for group in _circles(graph):
        way = " -> ".join(_shortest_way_round(graph, group))
        rest = "" if len(group) == way.count("->") else f" ({len(group)} modules are in circles with these)"
        yield f"import circle: {way}{rest}"


def vague_names(tree: Tree) -> Iterator[str]:
    """Tests whose name begins with a word that refers to something said elsewhere.

    The file names the module; the name goes on with the function, class or behaviour (``test_advance_refuses_...``,
    ``test_a_closed_connection_is_...``). A pronoun such as ``it`` or ``nothing`` names neither.
    """
    for path in sorted(tree.tests.rglob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            for test in node.body if isinstance(node, ast.ClassDef) else [node]:
                if not isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef):
                    continue
                first = _TEST.match(test.name)
                if first is not None and first[1] in VAGUE:
                    where = path.relative_to(tree.tests.parent).as_posix()
                    yield f"{where}: {test.name} does not begin with what it tests, but with {first[1]!r}"


def breaches(tree: Tree) -> list[str]:
    """Everything that breaks the layout, a sentence each."""
    checks = (untested_modules, stale_entries, crowded_rooms, import_circles, vague_names)
    return [breach for check in checks for breach in check(tree)]


def _mirrored(tree: Tree) -> list[str]:
    return [module for module in tree.modules() if not module.endswith("__init__.py")]


def _test_file(tree: Tree, module: str) -> Path:
    room, _, name = module.rpartition("/")
    return tree.tests / room / f"test_{name}"


def _imports(tree: Tree) -> dict[str, set[str]]:
    """Module name to the names of the modules it imports at module level, all of them ours."""
    named = {_dotted(tree, module): tree.package / module for module in tree.modules()}
    return {
        name: {
            found
            for statement in _at_module_level(ast.parse(path.read_text(encoding="utf-8")))
            for found in _targets(statement, named)
            if found != name
        }
        for name, path in named.items()
    }


def _dotted(tree: Tree, module: str) -> str:
    parts = [tree.package.name, *module.removesuffix(".py").split("/")]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _at_module_level(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when a module is loaded: everything but what stands in a function."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _at_module_level(child)


def _targets(statement: ast.AST, known: Mapping[str, object]) -> Iterator[str]:
    """Our modules that an import names; ``from package import name`` is of the module ``name`` where there is one."""
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names if alias.name in known)
    elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
        for alias in statement.names:
            below = f"{statement.module}.{alias.name}"
            if below in known:
                yield below
            elif statement.module in known:
                yield statement.module


def _circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The strongly connected groups of more than one module (Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for following in sorted(graph[module]):
            if following not in index:
                visit(following)
                low[module] = min(low[module], low[following])
            elif following in stack:
                low[module] = min(low[module], index[following])
        if low[module] == index[module]:
            at = stack.index(module)
            group = sorted(stack[at:])
            del stack[at:]
            if len(group) > 1:
                found.append(group)

    for module in sorted(graph):
        if module not in index:
            visit(module)
    return sorted(found)


def _shortest_way_round(graph: Mapping[str, set[str]], group: Iterable[str]) -> list[str]:
    """From a module of a strongly connected group back to itself, in as few imports as there are."""
    members = set(group)
    ways = []
    for first in sorted(members):
        seen, waiting = {first}, [[first]]
        while waiting and first not in graph[waiting[0][-1]]:
            way = waiting.pop(0)
            following = sorted((graph[way[-1]] & members) - seen)
            seen.update(following)
            waiting += [[*way, module] for module in following]
        ways.append([*waiting[0], first])
    return min(ways, key=len)


def main() -> int:
    """Print every breach; the exit status is 1 when there is one."""
    found = breaches(Tree())
    for breach in found:
        print(breach, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
