"""docs/dependencies.md lists each private part of a library that we use, with its test."""

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TypeGuard

ROOT = Path(__file__).parents[2]
OURS = ("services", "shared")
TEXT = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
# The part of a library, and the test that breaks first.
ROW = re.compile(r"^\| [a-z0-9-]+ \| `([\w.]+)` \| [^|]+ \| `([^`|]+)` \|$", re.MULTILINE)
BY_PROGRAM, _, BY_HAND = TEXT.partition("## Public, but")
CHANGERS = {"clear", "append", "update", "pop", "remove", "add", "extend", "setdefault"}
PRIVATE = re.compile(r"_[a-z]\w*")


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for folder in OURS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, ast.parse(path.read_text("utf-8"))


def is_foreign(name: str) -> bool:
    root = name.partition(".")[0]
    return root not in sys.stdlib_module_names and root not in (*OURS, "builtins")


def imported(tree: ast.Module) -> dict[str, str]:
    """The imports of a module from libraries: the used name, and the full one."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.asname or each.name.partition(".")[0]: each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return {name: full for name, full in found.items() if is_foreign(full)}


def root_of(node: ast.expr) -> str | None:
    """The name that an expression like `a.b["c"].d` begins with."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def is_changer(called: ast.expr) -> TypeGuard[ast.Attribute]:
    return (
        isinstance(called, ast.Attribute)
        and called.attr in CHANGERS
        and isinstance(called.value, ast.Attribute)
    )


def changed(tree: ast.Module) -> Iterator[str]:
    """Attributes of libraries that we assign to or change in place."""
    known = imported(tree)
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = [each for each in node.targets if not isinstance(each, ast.Name)]
        elif isinstance(node, ast.Call) and is_changer(node.func):
            targets = [node.func.value]
        for target in targets:
            if (name := root_of(target)) in known:
                part = target.value if isinstance(target, ast.Subscript) else target
                assert isinstance(part, ast.Attribute)
                yield f"{known[name].rpartition('.')[2]}.{part.attr}"


def inherited(path: Path, tree: ast.Module) -> Iterator[str]:
    """Private attributes of a library's class that one of ours overrides or uses."""
    module: ModuleType | None = None
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef) or not node.bases:
            continue
        module = module or importlib.import_module(
            ".".join(path.relative_to(ROOT).with_suffix("").parts)
        )
        kind = getattr(module, node.name, None)
        bases = (
            [each for each in inspect.getmro(kind) if is_foreign(each.__module__)] if kind else []
        )
        if not bases or bases[0].__module__.startswith("pydantic"):
            continue
        assigned, used, defined = set[str](), set[str](), set[str]()
        for part in ast.walk(node):
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
                defined.add(part.name)
            elif isinstance(part, ast.Attribute) and root_of(part) == "self":
                (assigned if isinstance(part.ctx, ast.Store) else used).add(part.attr)
        theirs = {name for base in bases for name in dir(base)}
        for name in sorted((defined & theirs) | (used - assigned - defined)):
            if PRIVATE.fullmatch(name):
                owner = next((base for base in reversed(bases) if name in dir(base)), bases[0])
                yield f"{owner.__name__}.{name}"


def imports(tree: ast.Module) -> Iterator[str]:
    for full in imported(tree).values():
        if any(PRIVATE.fullmatch(part) for part in full.split(".")):
            yield full


def found() -> set[str]:
    parts = set[str]()
    for path, tree in modules():
        parts |= {*changed(tree), *inherited(path, tree), *imports(tree)}
    return parts


def accessed() -> set[str]:
    """The private attributes of other objects, on lines that say why."""
    parts = set[str]()
    for path, _ in modules():
        for line in path.read_text("utf-8").splitlines():
            if "noqa: SLF001" in line:
                parts |= {*re.findall(r"(?<!self)\.(_[a-z]\w*)", line.partition("#")[0])}
    return parts


def test_the_list_is_complete_and_has_nothing_that_is_gone() -> None:
    listed = {part for part, _ in ROW.findall(BY_PROGRAM)}
    assert found() <= listed
    assert {part.rpartition(".")[2] for part in listed - found()} <= accessed()


def test_each_access_past_an_underscore_is_in_the_list() -> None:
    assert accessed() <= {part.rpartition(".")[2] for part, _ in ROW.findall(BY_PROGRAM)}


def test_what_would_break_first_exists() -> None:
    rows = ROW.findall(TEXT)
    assert len(rows) == len(re.findall(r"^\| [^|]+ \| `", TEXT, re.MULTILINE))
    for _, test in rows:
        file, _, name = test.partition("::")
        [path] = (each for each in (ROOT / "tests").rglob("*.py") if each.match(file))
        written = path.read_text("utf-8")
        assert re.search(rf"^(async )?def {name}\(", written, re.MULTILINE), test
