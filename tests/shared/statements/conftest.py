import pytest
import typst

from shared.statements.render import Renderer


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer()


@pytest.fixture(scope="session")
def bundled() -> Renderer:
    """A renderer that has the fonts of the package alone, as on a machine without any."""
    fonts = typst.Fonts
    with pytest.MonkeyPatch.context() as patch:
        alone = {"include_system_fonts": False}
        patch.setattr(typst, "Fonts", lambda **options: fonts(**options | alone))
        return Renderer()
