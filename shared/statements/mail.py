"""Renders subject, text and HTML of the mail from the templates in `mail/`."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import css_inline
import jinja2

from shared.statements.attachment import UNPRINTABLE, Kind
from shared.statements.view import View
from shared.statements.wording import line
from shared.text import lines

_TEMPLATES: Final = Path(__file__).parent / "mail"
_BEFORE: Final = re.compile(r"(<[a-z][^<>]*)>(?=[^<>]*\{\{)")
_AFTER: Final = re.compile(r"(\}\}[^<>]*</[a-z0-9]+)>")
_RUN: Final = re.compile("^ +|  +")
#: A mail shows at most this many transactions, the latest ones; an attached PDF shows all.
SHOWN: Final = 40
#: Two columns of figures of at most this many characters fit beside a label on a small phone.
#: Longer ones are stacked, above WIDE in small type: no figure may be broken.
NARROW: Final = 13
WIDE: Final = 20


class Mail:
    """The mail's templates, read and compiled once."""

    def __init__(self) -> None:
        plain = _environment(autoescape=False)
        self._subject = plain.from_string(_source("subject.txt"))
        self._text = plain.from_string(_source("body.txt"))
        # The style sheet is inlined into the template, not into each mail. Jinja's blocks are
        # comments there, because an HTML parser moves any other text out of a table.
        inliner = css_inline.CSSInliner(
            keep_at_rules=True, minify_css=True, load_remote_stylesheets=False
        )
        marked = _environment(autoescape=True, block_start_string="<!--%", block_end_string="%-->")
        self._html = marked.from_string(_apart(inliner.inline(_source("body.html"))))

    def write(
        self,
        view: View,
        message: str | None,
        *,
        replies: bool,
        attached: bool,
        flaws: Collection[Kind] = (),
    ) -> tuple[str, str, str]:
        """Return subject, text and HTML; the subject is one line of at most 150 characters.

        They invite replies if `replies` reach the business, and mention the PDF, if one is
        attached, and its flaws.
        """
        data = _shown(view) | {
            "message": lines(message or ""),
            "replies": replies,
            "attached": attached,
            "attachment": _attachment(flaws, attached=attached),
        }
        return (
            line(self._subject.render(data), limit=150),
            self._text.render(data),
            self._html.render(data),
        )


def _apart(template: str) -> str:
    """Put the parts that differ from mail to mail on separate lines; the others are encoded once.

    The breaks are inside of the tags around it, where they show nowhere.
    """
    return _AFTER.sub(r"\1\n>", _BEFORE.sub(r"\1\n>", template))


class _Environment(jinja2.Environment):
    """Finds `row.title` among a view's keys at once; jinja looks for an attribute first."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return obj[attribute] if type(obj) is dict else super().getattr(obj, attribute)


def _environment(**options: Any) -> jinja2.Environment:
    made = _Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, **options
    )
    made.filters["blanks"] = _blanks
    made.globals.clear()  # no template needs them, and each rendering would copy them
    return made


def _source(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _blanks(text: str) -> str:
    """Return a text in which a browser keeps runs of blanks, but may break lines."""
    return _RUN.sub(_kept, text)


def _kept(run: re.Match[str]) -> str:
    fixed = "\N{NO-BREAK SPACE}" * (len(run[0]) - 1)
    return f"{fixed} " if run.start() else f"{fixed}\N{NO-BREAK SPACE}"


def _attachment(flaws: Collection[Kind], *, attached: bool) -> str:
    """Return the mail's sentence about its PDF and a blank, or an empty text without a PDF."""
    if "no_pdf" in flaws:
        return "The full statement could not be attached as a PDF this time. "
    if not attached:
        return ""
    said = "The full statement is attached as a PDF. "
    if "replaced_text" in flaws:
        said += f"Text that could not be printed there reads {UNPRINTABLE}. "
    if "missing_letters" in flaws:
        said += "Some letters could not be printed there. "
    return said


def _shown(view: View) -> View:
    rows = view["rows"]
    kept = rows[-SHOWN:]
    hidden = len(rows) - len(kept)
    return view | {
        "rows": kept,
        "total": f"{len(rows):,}",
        "hidden": hidden,
        "forward": rows[hidden - 1]["balance"] if hidden else view["opening"],
        "layout": _layout(view["longest"]),
    }


def _layout(longest: int) -> str:
    if longest > WIDE:
        return "widest"
    return "wide" if longest > NARROW else "narrow"
