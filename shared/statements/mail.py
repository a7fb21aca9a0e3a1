"""Writes subject, text and HTML of the mail by the templates in `mail/`."""

from collections.abc import Collection
from typing import Final, NamedTuple

from shared.statements.attachment import UNPRINTABLE
from shared.statements.escaping import Html
from shared.statements.flaws import Kind
from shared.statements.links import pieces
from shared.statements.logo import shown_size
from shared.statements.shown import shown
from shared.statements.template import html_template, text_template
from shared.statements.view import View
from shared.statements.wording import line
from shared.text import lines

SUBJECT: Final = 150  # characters
_SIGNATURE: Final = "\n-- \n"  # what mail programs know as the begin of a sender's address


class Written(NamedTuple):
    """What a mail says; both subjects are one line of at most 150 characters."""

    subject: str
    copy_subject: str
    text: str
    html: str


class Mail:
    """The mail's templates, read and compiled once."""

    def __init__(self) -> None:
        self._text = text_template("body.txt")
        self._html = {
            "ltr": html_template("body.html", "ltr"),
            "rtl": html_template("body.html", "rtl"),
        }

    def write(
        self,
        view: View,
        message: str | None,
        *,
        invoice: Html | None,
        logo: bytes | None,
        replies: bool,
        attached: bool,
        flaws: Collection[Kind] = (),
    ) -> Written:
        """Return subject, text and HTML; the HTML has an `invoice` for programs, if there is one.

        They invite replies if `replies` reach the business, and mention the PDF, if one is
        attached, and its flaws.
        """
        data = shown(view) | {
            "message": list(map(pieces, lines(message or ""))),
            "invoice": invoice,
            "logo": logo and shown_size(logo),
            "replies": replies,
            "attached": attached,
            "attachment": _attachment(view["labels"], flaws, attached=attached),
        }
        return Written(
            line(view["subject"], limit=SUBJECT),
            line(view["copy_subject"], limit=SUBJECT),
            _trimmed(self._text.render(data)),
            self._html[view["dir"]].render(data),
        )


def _trimmed(text: str) -> str:
    """Return a text without the blanks behind figures that line up decimal points."""
    signature = text.rindex(_SIGNATURE)
    lines = text[:signature].split("\n") if " \n" in text[:signature] else []
    return "\n".join(map(str.rstrip, lines)) + text[signature:] if lines else text


def _attachment(labels: dict[str, str], flaws: Collection[Kind], *, attached: bool) -> str:
    """Return the mail's sentence about its PDF and a blank, or an empty text without a PDF."""
    if "no_pdf" in flaws:
        return f"{labels['not_attached']} "
    if not attached:
        return ""
    said = [labels["attached"]]
    if "replaced_text" in flaws:
        said.append(labels["replaced_text"].format(text=UNPRINTABLE))
    if "missing_letters" in flaws:
        said.append(labels["missing_letters"])
    return "".join(f"{each} " for each in said)
