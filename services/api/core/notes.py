"""A note that a person writes about what he or she does."""

from typing import Final

from shared.text import printable_line

NOTE_CHARS_MAX: Final = 500


def note_line(value: str) -> str:
    """Return a note as one line of printable characters. Raises ValueError if it is too long."""
    if len(value) > NOTE_CHARS_MAX:
        raise ValueError(f"should have at most {NOTE_CHARS_MAX} characters")
    return printable_line(value, NOTE_CHARS_MAX)
