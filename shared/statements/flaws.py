"""What can be wrong with a PDF. A process that makes none imports this file without typst."""

from typing import Literal, NamedTuple

Kind = Literal["missing_letters", "replaced_text", "no_pdf"]


class TypesettingError(RuntimeError):
    """The document could not be typeset; the message is typst's own."""


class Flaw(NamedTuple):
    """What a PDF does not show as the ledger has it; `text` holds nothing of the ledger."""

    kind: Kind
    text: str
