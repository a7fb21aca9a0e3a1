"""The list as text that Postgres writes: JSON, NDJSON or CSV, whole or one page of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.api.formats.negotiation import Format
from services.api.reports.json_array import JsonArray
from services.api.reports.lines import Lines
from services.api.reports.listing import query, written
from services.api.reports.listing.model import Listing
from services.api.reports.query import Counting
from services.api.reports.store import Rows
from services.api.reports.streamed import Write
from shared.csv_text import BOM

WRITTEN = frozenset({Format.JSON, Format.NDJSON, Format.CSV})


@dataclass(frozen=True)
class ListText:
    """How a list is written in one of these formats."""

    listing: Listing
    form: Format

    @property
    def is_object(self) -> bool:
        """Whether the rows are a part of an object, beside their totals and meaning."""
        return self.listing.options.meta and self.form is Format.JSON

    def rows(self, counting: Counting) -> str:
        """Return the query of all rows, each as one text."""
        if self.form is Format.CSV:
            return query.csv_rows(self.listing, counting)
        return query.json_rows(self.listing, counting)

    def page(self) -> str:
        """Return the query of the rows of a page, each as one text."""
        options, is_compared = self.listing.options, self.listing.is_compared
        if self.form is Format.CSV:
            return query.csv_page(options.sort, options.basis, is_compared=is_compared)
        return query.json_page(
            options.sort, options.basis, options.amounts, is_compared=is_compared
        )

    def writer(self, write: Write, after_rows: bytes | None = None) -> Rows:
        """Return what writes the rows; in JSON `after_rows` makes them a part of an object."""
        match self.form:
            case Format.CSV:
                head = written.csv_head(is_compared=self.listing.is_compared)
                bom = BOM if self.listing.options.bom else b""
                return Lines(write, b"\r\n", b"%b%b\r\n" % (bom, head.encode()))
            case Format.NDJSON:
                return Lines(write, b"\n")
            case _ if after_rows is None:
                return JsonArray(write)
            case _:
                return JsonArray(write, b'{"data":', after_rows + b"}")

    async def body(self, rows: Iterable[str], after_rows: bytes | None = None) -> bytes:
        """Return the whole answer of some rows."""
        pieces: list[bytes] = []

        async def keep(piece: bytes) -> None:
            pieces.append(piece)

        writer = self.writer(keep, after_rows)
        if encoded := [row.encode() for row in rows]:
            await writer.add(encoded)
        await writer.end()
        return b"".join(pieces)
