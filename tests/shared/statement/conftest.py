import pytest

from shared.statement.render import Renderer


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer()
