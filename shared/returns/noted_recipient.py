"""Finds the return path to which a returned mail was sent, in what servers noted in its header."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from shared.mail.return_path import ReturnPaths
from shared.returns import parts

# Where servers note the recipient of the envelope, the most certain first.
_NOTED_IN = ("delivered-to", "x-original-to", "envelope-to", "to")
_ADDRESSES_MAX = 100
_SIGNED, _UNSIGNED = (
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        r"bounce\+[a-z2-7]{26}\.[a-z2-7]{16}@[a-z0-9.-]+",
        r"""[^@\s<>,;:"()]{1,31}\+bounce-[0-9a-f]{32}@[a-z0-9.-]+""",
    )
)


def noted_recipient(
    raw: bytes, paths: ReturnPaths, *, is_unsigned_read: bool = False
) -> str | None:
    """Return the first signed return path in the fields in which servers note the recipient.

    Without one, and with `is_unsigned_read`, it is the first of the former, unsigned form.
    """
    header = parts.header_of(raw)
    written = [value for name in _NOTED_IN for value in header.fields.get(name, ())]
    signed = (each for each in _addresses(_SIGNED, written) if paths.delivery(each))
    unsigned = _addresses(_UNSIGNED, written) if is_unsigned_read else ()
    return next(chain(signed, unsigned), None)


def _addresses(form: re.Pattern[str], written: Iterable[str]) -> Iterator[str]:
    found = (each[0] for value in written for each in form.finditer(value))
    return islice(found, _ADDRESSES_MAX)
