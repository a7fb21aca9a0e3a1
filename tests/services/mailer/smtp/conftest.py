"""The certificate of a smarthost."""

import ssl
from pathlib import Path

import pytest

from tests.judge.certificate import self_made


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return self_made(tmp_path_factory.mktemp("certificate"))
