"""Makes a logo of a picture: an opaque PNG without metadata, small enough for a mail."""

import io
from contextlib import suppress
from typing import Final

from PIL import ExifTags, Image

from services.api.branding.logo.picture import OCTETS_MAX, SIDE_MAX, Picture

# Twice the size at which mails show it, for screens with small pixels.
_SHOWN: Final = (600, 240)
_OPAQUE: Final = 255
_MARGIN: Final = 25  # of the shorter side; one part of so many
_PALETTE_FROM: Final = 40_000  # octets of a PNG from which on a palette of 256 colours is tried
_FORMATS: Final = ("PNG", "JPEG")
_DEEP: Final = 257  # 16 bits a channel to 8
_TOO_LARGE: Final = f"should have at most {SIDE_MAX} pixels a side"
_NO_PICTURE: Final = "should be a PNG or a JPEG picture"
_NEAR_WHITE: Final = 240  # of 255; what is as light cannot be seen on white
_INVISIBLE: Final = (
    "cannot be seen on white, on which transparent pictures are put:"
    " give it dark colours, or a ground of its own"
)
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Unusable(ValueError):
    """The file cannot be a logo; the text says why to its owner."""


def re_encoded(data: bytes) -> Picture:
    """Return the picture of a PNG or JPEG file. Raises Unusable if it is none.

    A transparent picture is put on white with a margin, because mail programs in dark mode would
    let dark letters vanish. Call it in a process of its own: the file may be hostile.
    """
    if len(data) > OCTETS_MAX:
        raise Unusable(f"should have at most {OCTETS_MAX} octets")
    return _encoded(_on_white(_upright(_decoded(data)).convert("RGBA")))


def _decoded(data: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            if max(image.size) <= SIDE_MAX:
                image.load()
    except MemoryError:
        raise
    except Image.DecompressionBombError:
        raise Unusable(_TOO_LARGE) from None
    except Exception:  # noqa: BLE001 -- decoders raise anything if a file is broken
        raise Unusable(_NO_PICTURE) from None
    if max(image.size) > SIDE_MAX:
        raise Unusable(_TOO_LARGE)
    return image


def _upright(image: Image.Image) -> Image.Image:
    turn = None
    with suppress(Exception):  # a broken Exif block does not make a picture unusable
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 0))
    if image.mode.startswith("I"):  # grey of 16 bits a pixel
        image = image.point(lambda value: value / _DEEP).convert("L")
    return image if turn is None else image.transpose(turn)


def _on_white(image: Image.Image) -> Image.Image:
    low, _ = image.getchannel("A").getextrema()
    margin = 0 if low == _OPAQUE else max(4, min(image.size) // _MARGIN)
    size = (image.width + 2 * margin, image.height + 2 * margin)
    plate = Image.new("RGBA", size, "white")
    plate.alpha_composite(image, (margin, margin))
    if margin and not any(plate.convert("L").histogram()[:_NEAR_WHITE]):
        raise Unusable(_INVISIBLE)
    return plate.convert("RGB")


def _encoded(image: Image.Image) -> Picture:
    image.thumbnail(_SHOWN, Image.Resampling.LANCZOS)
    png = _png(image)
    if len(png) > _PALETTE_FROM:
        png = min(png, _png(image.quantize(256)), key=len)
    return Picture(png, image.width, image.height)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()
