"""The addresses in a ledger, as people wrote them: one, several in a list, or none."""

import re

# A stored text that is longer is no list of addresses.
STORED_CHARS_MAX = 4_000
# A list may have as many addresses as a send has recipients by default.
_LISTED_MAX = 25
_BETWEEN = re.compile("[,;]")
# Spreadsheets and web pages leave these around an address; nobody sees them.
_BLANKS = " \t\r\n\f\v\u00a0\u200b\u200e\u200f\u202f\u2060\ufeff"


def stored_addresses(text: str | None) -> tuple[str, ...]:
    """Return the parts of a stored text that should each be an address.

    A list has commas or semicolons between its addresses, and at most 25 of them. A text that has
    more is returned as one part, which is no address. Blanks around an address, also invisible
    ones, are left out.
    """
    whole = (text or "").strip(_BLANKS)
    if len(whole) > STORED_CHARS_MAX:
        return (whole,)
    parts = [part.strip(_BLANKS) for part in _BETWEEN.split(whole)]
    listed = tuple(part for part in parts if part)
    return listed if len(listed) <= _LISTED_MAX else (whole,)
