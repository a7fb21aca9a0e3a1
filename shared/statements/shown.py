"""What a mail shows of a statement's view: the latest rows, the widths of bars, a layout."""

from typing import Any, Final

from shared.statements.filters import lined
from shared.statements.links import pieces
from shared.statements.sentences import SHOWN
from shared.statements.view import View

#: Two columns of figures of at most this many characters fit beside a label on a small phone.
#: Longer ones are stacked, above WIDE in small type: no figure may be broken.
NARROW: Final = 8
WIDE: Final = 20
# The characters of an amount that fit in a part of the line.
_TILES: Final = {"33%": 14, "50%": 22}

# From amounts that are not due yet to those that are long overdue; then those without a due date.
_TONES: Final = ("", "#e7b04a", "#d9822b", "#c4511d", "#96290f", "#93a0ab")


def shown(view: View) -> View:
    """Return the view with what the mail's templates need besides."""
    rows, items = view["rows"], view["open_items"]
    hidden = max(0, len(rows) - SHOWN)
    width = _width(view)
    return view | {
        "rows": rows[hidden:],
        "hidden": hidden,
        "forward": rows[hidden - 1]["balance"] if hidden else view["opening"],
        "open_items": items and items[:SHOWN],
        "hidden_items": max(0, len(items or ()) - SHOWN),
        "aging": _aging(view),
        "chart": _chart(view["chart"]),
        "how_to_pay": list(map(pieces, view["how_to_pay"])),
        "width": width,
        "column": _column(view),
        "money_width": (longest := max(map(len, _amounts(view)))),
        "tile": _tile(longest),
        "layout": _layout(width),
        "sum_layout": _layout(len(view["closing_money"]) - len("GHS ")),
    }


def _width(view: View) -> int:
    """Return the length of the longest figure, with the blanks that line up decimal points."""
    decimals, decimal = view["decimals"], view["decimal"]
    if not decimals:
        return int(view["longest"])
    figures = [view["opening"], view["closing"]]
    figures += (part["amount"] for part in view["sums"])
    for row in view["rows"]:
        figures += row["change"], row["balance"]
    for item in view["open_items"] or ():
        figures += item["amount"], item["total"]
    return max(len(lined(each, decimals, decimal)) for each in figures)


def _column(view: View) -> int:
    """Return the length of the longest label before a figure of the text part."""
    labels = view["labels"]
    names = ("opening_balance", "closing_balance", "invoices", "billed", "paid_on_it")
    said = [labels[name] for name in (*names, "still_owing")]
    listed = (*view["headline"], *view["sums"], *(view["aging"] or ()))
    bars = view["chart"]["bars"] if view["chart"] else ()
    return max(map(len, (*said, *(part["label"] for part in (*listed, *bars)))))


def _amounts(view: View) -> list[str]:
    return [*view["billed"].values(), *(part["amount"] for part in view["headline"])]


def _layout(width: int) -> str:
    if width > WIDE:
        return "widest"
    return "wide" if width > NARROW else "narrow"


def _tile(longest: int) -> str:
    """Return the width of each of the three amounts at the head, so that none is broken."""
    return next((width for width, most in _TILES.items() if longest <= most), "100%")


def _aging(view: View) -> list[dict[str, Any]] | None:
    if view["aging"] is None:
        return None
    decimal = view["decimal"]
    decimals = max(len(part["amount"].partition(decimal)[2]) for part in view["aging"])
    return [
        _bucket(place, part, view["accent"]) | {"lined": lined(part["amount"], decimals, decimal)}
        for place, part in enumerate(view["aging"])
    ]


def _bucket(place: int, part: dict[str, Any], accent: str) -> dict[str, Any]:
    tone = min(place, len(_TONES) - 1)
    colour = _TONES[tone] or accent
    return part | {"tone": tone, "colour": colour, "percent": _percent(part["share"])}


def _chart(chart: dict[str, Any] | None) -> dict[str, Any] | None:
    if chart is None:
        return None
    bars = [
        bar
        | {
            "billed_percent": _percent(bar["billed_share"]),
            "paid_percent": _percent(bar["paid_share"]),
        }
        for bar in chart["bars"]
    ]
    return chart | {"bars": bars}


def _percent(share: float) -> int:
    """Return the width of a bar; what is there can be seen."""
    return max(1, round(100 * share)) if share > 0 else 0
