import gc
import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.servers", "tests.logged"]

# Fixtures that bring a server up, and folders whose tests bring one up by themselves.
_SERVERS = {"servers", "neighbours"}
_FOLDERS = {"provision", "contract", "demo"}
# What takes longest begins first, so that no process works alone at the end.
_FIRST = ("faults", "provision", "journeys", "contract", "demo")
_TESTS = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark `server` what needs a server, for `make fast` to leave out; put long folders first.

    Tests that are marked `long` run only with LONG=1.
    """
    if not os.environ.get("LONG"):
        left_out = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    for item in items:
        needed = _SERVERS.intersection(getattr(item, "fixturenames", ()))
        if needed or _folder(item) in _FOLDERS:
            item.add_marker("server")
    items.sort(key=lambda item: [_folder(item) == name for name in _FIRST], reverse=True)


def pytest_collection_finish() -> None:
    """Leave thousands of tests, which live to the end, out of each search for garbage."""
    gc.freeze()


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(_TESTS).parts[0]
