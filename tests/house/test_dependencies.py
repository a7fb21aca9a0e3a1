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
    named = (re.match(r"[A-Za-z0-9._-]+", each) for each in project["dependencies"])
    declared = {name[0].lower().replace("_", "-") for name in named if name}
    of = packages_distributions()
    undeclared = {
        package
        for package in imported()
        if declared.isdisjoint(each.lower().replace("_", "-") for each in of[package])
    }
    assert undeclared == set()
