"""Logos: what is stored of a picture, and what happens with what is none."""

import asyncio
import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from services.api.branding.logo import process
from services.api.branding.logo.codec import re_encoded
from tests.services.api.branding.pictures import drawn, file_of, png

SECRET = b"GPS 5.6037 N"


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=("PNG",))
    image.load()
    return image


def chunk(kind: bytes, data: bytes) -> bytes:
    checked = kind + data
    return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))


def bomb(side: int) -> bytes:
    """Return a small PNG that has a picture of a square of `side` pixels."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * ((side // 8 + 2) * side), 9)
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def with_text(size: int) -> bytes:
    """Return a picture with a text of so many letters, which are compressed."""
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * size, 9))
    picture = png()
    after_header = 8 + 25
    return picture[:after_header] + text + picture[after_header:]


async def test_a_transparent_logo_is_put_on_white_with_a_margin() -> None:
    picture = await process.picture(png((1200, 400)))
    image = opened(picture.png).convert("RGB")
    assert image.size == (picture.width, picture.height)
    assert image.width <= 600
    assert image.height <= 240
    assert image.getpixel((0, 0)) == (255, 255, 255)
    inked = image.crop((image.width // 2, image.height // 2, image.width // 2 + 1, 121))
    assert inked.getcolors() == [(inked.width * inked.height, (10, 60, 120))]


async def test_an_opaque_logo_keeps_its_ground_and_a_small_one_its_size() -> None:
    picture = await process.picture(file_of(drawn("RGB", (200, 80), "white")))
    image = opened(picture.png).convert("RGB")
    assert image.size == (200, 80)
    assert image.getpixel((0, 0)) == (0, 0, 0)


def texts() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", SECRET.decode())
    return info


EXIF = Image.Exif()
EXIF[0x010E] = SECRET.decode()


@pytest.mark.parametrize(
    "data",
    [
        file_of(drawn("RGB", (90, 40), "red"), pnginfo=texts()),
        file_of(drawn("RGB", (90, 40), "red"), exif=EXIF),
        file_of(drawn("RGB", (90, 40), "red"), "JPEG", exif=EXIF, comment=SECRET),
        file_of(drawn("RGB", (90, 40), "red")) + SECRET,
    ],
    ids=["text", "exif", "jpeg", "after the end"],
)
async def test_no_metadata_is_kept(data: bytes) -> None:
    assert SECRET in data
    picture = await process.picture(data)
    assert SECRET not in picture.png
    assert not opened(picture.png).info


@pytest.mark.parametrize(
    "image",
    [
        drawn("L", (60, 40), 200),
        drawn("1", (60, 40), 1),
        drawn("P", (60, 40), 3),
        drawn("LA", (60, 40), (200, 255)),
        drawn("I;16", (60, 40), 60_000),
    ],
    ids=lambda image: image.mode,
)
def test_every_kind_of_png_is_read(image: Image.Image) -> None:
    assert opened(re_encoded(file_of(image)).png).mode in {"RGB", "P"}


def test_a_grey_of_16_bits_keeps_its_brightness() -> None:
    made = opened(re_encoded(file_of(drawn("I;16", (60, 40), 60_000))).png).convert("L")
    assert made.getextrema() == (0, 60_000 // 257)


def test_a_photograph_stands_upright_and_printers_colours_are_read() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # a quarter turn
    picture = re_encoded(file_of(drawn("RGB", (90, 40), "red"), "JPEG", exif=turned))
    assert (picture.width, picture.height) == (40, 90)
    assert re_encoded(file_of(drawn("CMYK", (90, 40), (0, 255, 255, 0)), "JPEG")).width == 90


def test_a_picture_of_many_colours_stays_small() -> None:
    noise = Image.effect_noise((600, 240), 90).convert("RGB")
    assert len(re_encoded(file_of(noise)).png) < 200_000


def test_a_broken_exif_block_does_not_make_a_picture_unusable() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    turned[0x0213] = 1  # where colours are sampled
    data = file_of(drawn("RGB", (90, 40), "red"), "JPEG", exif=turned)
    broken = data.replace(b"\x02\x13\x00\x03", b"\x02\x13\x00\x02")  # a text in its place
    assert broken != data
    assert re_encoded(broken).height == 90


def scans(count: int) -> bytes:
    """Return a small JPEG of 1,448 by 1,448 pixels, whose every pixel is read `count` times."""
    side = 1_448
    whole = file_of(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    first = whole.index(b"\xff\xda")
    second = whole.index(b"\xff\xda", first + 1)
    # A Huffman code of one letter: the next 16,384 blocks, or with 14 bits more, have no change.
    code = b"\xff\xc4" + struct.pack(">H", 20) + b"\x10" + bytes([1] + [0] * 15) + b"\xe0"
    bits = "0" + f"{(side // 8) ** 2 - 16_384:014b}" + "1"
    passed = int(bits, 2).to_bytes(2).replace(b"\xff", b"\xff\0")
    scan = b"\xff\xda" + struct.pack(">H", 8) + bytes([1, 1, 0, 1, 63, 0]) + passed
    start = whole[:second].rpartition(b"\xff\xc4")[0]
    return start + code + scan * count + b"\xff\xd9"


BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "text": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a PNG or a JPEG"),
    "gif": (file_of(drawn("L", (20, 20), 9), "GIF"), "a PNG or a JPEG"),
    "cut": (png()[:300], "a PNG or a JPEG"),
    "head only": (b"\x89PNG\r\n\x1a\n", "a PNG or a JPEG"),
    "too wide": (file_of(drawn("L", (2001, 10), 9)), "2000 pixels a side"),
    "bomb": (bomb(60_000), "2000 pixels a side"),
    "bomb of text": (with_text(400_000_000), "a PNG or a JPEG"),
    "many scans": (scans(80_000), "too much time"),
    "white on nothing": (file_of(drawn("RGBA", (90, 40), "white")), "cannot be seen on white"),
    "nothing": (file_of(Image.new("RGBA", (90, 40))), "cannot be seen on white"),
    "too many octets": (png() + b"\0" * 1_000_000, "1000000 octets"),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_is_no_logo_is_refused_with_the_reason(name: str) -> None:
    data, reason = BAD[name]
    with pytest.raises(ValueError, match=reason):
        await process.picture(data)


@pytest.mark.parametrize(
    "program", ["import time; time.sleep(600)", "import os; os.abort()", "print('[]')", ""]
)
async def test_a_process_that_stands_still_dies_or_lies_is_the_pictures_fault(
    monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    spawn: Any = asyncio.create_subprocess_exec

    async def instead(executable: str, *_: str, **options: Any) -> Any:
        return await spawn(executable, "-c", program, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", instead)
    monkeypatch.setattr(process, "_ANSWER_S", 2)
    with pytest.raises(ValueError, match="too much time or memory"):
        await process.picture(png())


async def test_a_process_that_answers_without_end_fills_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spawn: Any = asyncio.create_subprocess_exec
    program = "import os\nwhile True: os.write(1, bytes(65536))"

    async def instead(executable: str, *_: str, **options: Any) -> Any:
        return await spawn(executable, "-c", program, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", instead)
    async with asyncio.timeout(process._ANSWER_S / 2):
        with pytest.raises(ValueError, match="too much time or memory"):
            await process.picture(png())
