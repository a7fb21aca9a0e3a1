"""The statement behind a report row: its model, and the one renderer of its mail and its PDF."""

from typing import Final

#: Raised with every change that alters what a stored snapshot renders to.
TEMPLATE_VERSION: Final = 4
