from collections.abc import Iterator
from pathlib import Path

import pytest

from provision import place, servers
from tests.servers import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A separate checkout, without the unpacked programs of this one."""
    yield tmp_path
    servers.clean(tmp_path)


@pytest.fixture
def folder(checkout: Path) -> Path:
    """A folder that the servers' account can reach."""
    return place.place(checkout, "own")


@pytest.fixture(scope="session")
def project() -> Path:
    """Our checkout, whose programs are used."""
    return ROOT
