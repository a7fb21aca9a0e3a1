from pathlib import Path

import pytest

pytest_plugins = ["tests.servers", "tests.logged"]

# Fixtures that bring a server up, and folders whose tests bring one up by themselves.
_SERVERS = {"servers", "neighbours"}
_FOLDERS = {"provision", "contract", "demo"}
_TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark `server` what needs a server; `make fast` runs the rest."""
    for item in items:
        needed = _SERVERS.intersection(getattr(item, "fixturenames", ()))
        if needed or item.path.relative_to(_TESTS).parts[0] in _FOLDERS:
            item.add_marker("server")
