"""What the figures of a report mean, in words, from its description."""

from collections.abc import Mapping, Sequence

from services.api.formats.report import Report
from shared.statements.wording import day

_BASES = {
    "accrual": "Accrual: paid is what was paid so far on the documents of the period, on any date.",
    "cash": "Cash: paid is what came in between these dates, on any document.",
}
_DATES = {"issue_date": "the date of issue", "paid_on": "the date of payment"}


def terms(report: Report) -> Sequence[tuple[str, str]]:
    """Return each property of the figures with its explanation; one that is not known is absent."""
    meta = report.meta
    found = [
        ("Period", f"{day(report.period.start)} to {day(report.period.end)}, both days included"),
        ("Basis", _BASES.get(str(meta.get("basis")), "")),
        ("Date that counts", _DATES.get(str(meta.get("date_field")), "")),
        ("Not counted", _excluded(meta.get("excluded"))),
        ("Currency", report.business.currency),
        ("Time zone", report.business.timezone),
        ("Read at", str(meta.get("generated_at", ""))),
        ("Definition", str(meta.get("definition", ""))),
        ("State of the ledger", str(meta.get("ledger_version", ""))),
    ]
    return [(term, text) for term, text in found if text]


def _excluded(states: object) -> str:
    if not isinstance(states, Mapping):
        return ""
    return "; ".join(f"{' and '.join(map(str, each))} {kind}" for kind, each in states.items())
