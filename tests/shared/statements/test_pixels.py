"""Statements look as they did, on small and large screens, light and dark, in both directions.

The pictures are kept at a quarter of their size, in which the edges of letters vanish, and compared
in squares, so that another smoothing of letters is no difference. `make pictures` takes them anew;
look at them before they are committed.
"""

import html
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageFilter

from shared.statements import render
from shared.statements.render import Renderer
from tests.shared.statements.reading import tool
from tests.shared.statements.snapshots import complete, frozen

PICTURES = Path(__file__).with_name("pictures")
_FONTS = Path(render.__file__).with_name("fonts")
_TAGS = ("en", "ar")
_SCHEMES = {"dark": 0, "light": 1}  # as Chromium numbers them
_WIDTHS = (320, 600, 1200)
_HEIGHT = 2800
_REDUCED = 4
_SQUARE = 16  # reduced pixels
_LARGEST = 12.0  # levels of 255; full hinting makes 6, a padding of 2 pixels more makes 23
# The fonts of this machine are not those of another, so the page brings its own.
_FACES = (
    ("Ours", "Inter-Regular.otf", "100 500"),
    ("Ours", "Inter-SemiBold.otf", "600 900"),
    ("Ours Arabic", "NotoSansArabic-Regular.ttf", "100 500"),
    ("Ours Arabic", "NotoSansArabic-Bold.ttf", "600 900"),
)
_FACE = '@font-face {{ font-family: "{}"; src: url("{}"); font-weight: {} }}'
_STYLE = "".join(
    _FACE.format(name, (_FONTS / file).as_uri(), weight) for name, file, weight in _FACES
)
_OURS = '* { font-family: "Ours", "Ours Arabic" !important }'


def pictures() -> Iterator[tuple[str, Image.Image]]:
    """Yield the names and reduced pictures of mails and first pages."""
    renderer = Renderer()
    made = {tag: renderer.render(frozen(complete(locale=tag)), "Thank you.") for tag in _TAGS}
    with tempfile.TemporaryDirectory() as folder:
        for scheme in _SCHEMES:
            whole = _photographed([made[tag].html for tag in _TAGS], scheme, Path(folder))
            left = 0
            for tag in _TAGS:
                for width in _WIDTHS:
                    part = whole.crop((left, 0, left + width, _HEIGHT))
                    yield f"{tag}-{width}-{scheme}", _reduced(part)
                    left += width
    for tag in _TAGS:
        run = subprocess.run(
            [tool("pdftoppm"), "-r", "120", "-l", "1", "-png", "-"],
            input=made[tag].pdf,
            capture_output=True,
            check=True,
        )
        yield f"{tag}-pdf", _reduced(Image.open(BytesIO(run.stdout)))


def _photographed(mails: list[str], scheme: str, folder: Path) -> Image.Image:
    frame = f'<iframe width="{{}}" height="{_HEIGHT}" srcdoc="{{}}"></iframe>'
    frames = "".join(
        frame.format(width, html.escape(_styled(mail))) for mail in mails for width in _WIDTHS
    )
    page, picture = folder / "page.html", folder / f"{scheme}.png"
    style = "body { margin: 0; display: flex } iframe { border: 0; flex: none }"
    page.write_text(f"<!doctype html><meta charset=utf-8><style>{style}</style>{frames}", "utf-8")
    command = [
        *(tool("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
        *("--allow-file-access-from-files", "--virtual-time-budget=5000"),
        f"--blink-settings=preferredColorScheme={_SCHEMES[scheme]}",
        f"--user-data-dir={folder}/profile",
        f"--window-size={sum(_WIDTHS) * len(mails)},{_HEIGHT}",
        f"--screenshot={picture}",
        page.as_uri(),
    ]
    subprocess.run(command, capture_output=True, check=True, timeout=120)
    return Image.open(picture)


def _styled(mail: str) -> str:
    return mail.replace("</head>", f"<style>{_STYLE}{_OURS}</style></head>", 1)


def _reduced(picture: Image.Image) -> Image.Image:
    return picture.convert("RGB").reduce(_REDUCED)


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of the square that differs most."""
    blur, down = ImageFilter.GaussianBlur(2), (one.width // _SQUARE, one.height // _SQUARE)
    differing = ImageChops.difference(one.filter(blur), other.filter(blur)).convert("L")
    squares = differing.resize(down, Image.Resampling.BOX)
    return float(max(squares.tobytes()))


@pytest.mark.timeout(180)
def test_statements_look_as_they_did() -> None:
    differing = {}
    for name, picture in pictures():
        kept = Image.open(PICTURES / f"{name}.png").convert("RGB")
        assert picture.size == kept.size, name
        if (found := difference(kept, picture)) > _LARGEST:
            differing[name] = found
    assert differing == {}


def take() -> None:
    """Take all pictures anew."""
    PICTURES.mkdir(exist_ok=True)
    for name, picture in pictures():
        picture.quantize(64).save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(take())
