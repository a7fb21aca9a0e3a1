from collections.abc import Iterator

import pytest

from shared.statement.render import Renderer


@pytest.fixture(scope="session")
def renderer() -> Iterator[Renderer]:
    made = Renderer(workers=2)
    yield made
    made.close()
