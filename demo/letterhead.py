"""How the statements of the demo's business look, and its logo, drawn anew each time."""

from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

_INK: Final = "#3730a3"
#: The options of `ledgerpost-api branding set`.
BRANDING: Final = {
    "accent": _INK,
    "sender_name": "Adinkra Fabrics, accounts",
    "reply_to": "accounts@adinkra-fabrics.example",
    "how_to_pay": (
        "Mobile money: 024 200 0417, Adinkra Fabrics Ltd\n"
        "Bank: Makola Example Bank, account 0417 2000 33\n"
        "Please give the reference of this statement."
    ),
    "pay_link": "https://pay.adinkra-fabrics.example/{customer_id}?amount={amount}&ref={reference}",
    "statement_kind": "activity-with-open-items",
    "attach_csv": "1",
}
_LARGER: Final = 4  # drawn larger and scaled down, so that edges are smooth
_SIZE: Final = (470, 160)


def options() -> list[str]:
    """Return the branding as arguments of the command that sets it."""
    pairs = ((f"--{name.replace('_', '-')}", text) for name, text in BRANDING.items())
    return [argument for pair in pairs for argument in pair]


def write_logo(file: Path) -> None:
    """Write the logo as PNG: three rings, the chief of the Adinkra symbols, and the name."""
    image = Image.new("RGBA", (_SIZE[0] * _LARGER, _SIZE[1] * _LARGER))
    draw = ImageDraw.Draw(image)
    for outer, width in ((74, 12), (48, 11), (22, 22)):
        _ring(draw, (80, 80), outer, width)
    _word(draw, (186, 84), "Adinkra", 78)
    _word(draw, (190, 138), "F A B R I C S", 30)
    image.resize(_SIZE, Image.Resampling.LANCZOS).save(file, "PNG")


def _ring(draw: ImageDraw.ImageDraw, centre: tuple[int, int], radius: int, width: int) -> None:
    x, y = centre
    box = (x - radius, y - radius, x + radius, y + radius)
    draw.ellipse(tuple(side * _LARGER for side in box), outline=_INK, width=width * _LARGER)


def _word(draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, height: int) -> None:
    font = ImageFont.load_default(height * _LARGER)
    x, y = place
    draw.text((x * _LARGER, y * _LARGER), text, fill=_INK, font=font, anchor="ls")
