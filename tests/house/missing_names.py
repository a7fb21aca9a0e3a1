"""Prints each name that tests and bench import from our modules although it is not there.

`python -m tests.house.missing_names`. To import all tests takes too long for `make check`.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = frozenset({"bench", "demo", "provision", "services", "shared", "tests"})


def missing(file: Path, root: Path = ROOT) -> Iterator[str]:
    """Yield a line for each name of our modules that this file uses and that no module has."""
    tree, where = ast.parse(file.read_bytes()), file.relative_to(root)
    modules: dict[str, str] = {}
    for line, module, alias in _imports(tree):
        found = f"{module}.{alias.name}".removeprefix(".")
        if _file(root, found):
            modules[alias.asname or alias.name] = found
        elif not module or not _has(root, module, alias.name):
            yield f"{where}:{line}: {found} does not exist"
    for name in modules.keys() - {*_bound(ast.walk(tree))}:
        for line, attribute in _attributes(tree, name):
            if not _has(root, modules[name], attribute):
                yield f"{where}:{line}: {modules[name]} has no {attribute}"


def _imports(tree: ast.Module) -> Iterator[tuple[int, str, ast.alias]]:
    """Yield line, module ("" if there is none) and name of each import from our modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                if (module or alias.name).partition(".")[0] in OURS:
                    yield node.lineno, module, alias


@cache
def _file(root: Path, module: str) -> Path | None:
    """Return the file of a module; of a package without a file, its folder."""
    path = root.joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py", path):
        if file.exists():
            return file
    return None


def _has(root: Path, module: str, name: str) -> bool:
    return bool(name in _names(root, module) or _file(root, f"{module}.{name}"))


@cache
def _names(root: Path, module: str) -> frozenset[str]:
    """Return the names that a module binds."""
    file = _file(root, module)
    if file is None or file.is_dir():
        return frozenset()
    nodes = [*_outside(ast.parse(file.read_bytes()))]
    imported = (
        (alias.asname or alias.name).partition(".")[0]
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    )
    return frozenset({*_bound(nodes), *imported, "__doc__", "__file__", "__name__"})


def _outside(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all that stands outside of functions and classes, and these themselves."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _outside(node)


def _bound(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names that are bound here, but for those that are imported."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def _attributes(tree: ast.Module, name: str) -> Iterator[tuple[int, str]]:
    """Yield line and attribute of each use of a module, also as `setattr(module, "attribute")`."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=used), attr=attribute) if used == name:
                yield node.lineno, attribute
            case ast.Call(
                func=ast.Attribute(attr="setattr"),
                args=[ast.Name(id=used), ast.Constant(value=str(attribute)), *_],
            ) if used == name:
                yield node.lineno, attribute


def main() -> None:
    """Check all files of the tests and the bench; the exit status is 1 if a name is missing."""
    files = (file for folder in ("tests", "bench") for file in (ROOT / folder).rglob("*.py"))
    lines = [line for file in files if "node_modules" not in file.parts for line in missing(file)]
    sys.exit("\n".join(lines) or None)


if __name__ == "__main__":
    main()
