"""Files of pictures, for logos."""

import io
from typing import Any

from PIL import Image, ImageDraw


def drawn(mode: str, size: tuple[int, int], ink: Any) -> Image.Image:
    """Return a picture of a filled ellipse on black, or on nothing if it can be transparent."""
    image = Image.new(mode, size)
    ImageDraw.Draw(image).ellipse((2, 2, size[0] - 2, size[1] - 2), fill=ink)
    return image


def file_of(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(size: tuple[int, int] = (300, 100)) -> bytes:
    return file_of(drawn("RGBA", size, (10, 60, 120, 255)))
