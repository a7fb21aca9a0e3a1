"""All packages that the processes import are declared, and not only installed by others."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported() -> set[str]:
    """The names of all packages that a module of `services` or `shared` imports."""
    found = set[str]()
    for folder in ("services", "shared"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {each.name.partition(".")[0] for each in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"services", "shared"}


def test_every_imported_package_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wished = project["dependencies"] + project["optional-dependencies"]["otel"]
    named = (re.match(r"[A-Za-z0-9._-]+", each) for each in wished)
    declared = {name[0].lower().replace("_", "-") for name in named if name}
    of = packages_distributions()
    undeclared = {
        package
        for package in imported()
        if declared.isdisjoint(each.lower().replace("_", "-") for each in of[package])
    }
    assert undeclared == set()


def test_a_library_of_whose_inside_we_know_is_bounded() -> None:
    """An installation without our pins would otherwise take a release that changes the inside."""
    tables = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    tables = tables[: tables.index("## What the extra is for")]
    named = set(re.findall(r"^\| ([a-z0-9-]+) \| `", tables, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    bounded = {each.partition(">")[0] for each in project["dependencies"] if ",<" in each}
    assert {"aiohttp", "asyncpg", "jinja2", "python-dateutil"} <= named
    assert named <= bounded
