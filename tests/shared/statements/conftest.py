import pytest

from shared.statements.render import Renderer


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer()
