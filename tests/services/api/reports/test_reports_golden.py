import json
from pathlib import Path

import pytest

from tests.services.api.api_client import REPORTS, Api
from tests.services.api.ledgers import GOLDEN
from tests.services.api.reports.rows import as_on_the_wire

EXPECTED = {path: path.read_bytes() for path in sorted(GOLDEN.glob("business-*.json"))}


def test_there_are_five_golden_reports() -> None:
    assert len(EXPECTED) == 5


@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.stem)
async def test_a_golden_report_comes_digit_by_digit(
    reader: Api, other_key: str, path: Path
) -> None:
    business, start, end = path.stem.removeprefix("business-").split(".")
    key = reader.key if business == "1" else other_key

    report = await reader.get(f"{REPORTS}/{start}/{end}", key=key)

    assert report.status == 200
    assert report.headers["Content-Type"] == "application/json; charset=utf-8"
    # As text, for 1 must not pass for "1" nor for 1.0.
    assert repr(as_on_the_wire(report.text)) == repr(as_on_the_wire(EXPECTED[path]))
    for row in json.loads(EXPECTED[path]):
        await _assert_alone(reader, key, row["id"], start, end, report.text)


async def _assert_alone(
    reader: Api, key: str | None, customer: int, start: str, end: str, report: str
) -> None:
    path = f"{REPORTS}/client/{customer}/{start}/{end}"
    one, filtered = await reader.get(path, key=key), await reader.post(path, key=key)
    assert one.status == filtered.status == 200
    assert one.text in report.splitlines()[0].lstrip("[") or f",{one.text}\n" in report
    assert filtered.text == f"[{one.text}]"


async def test_money_is_written_without_noise(reader: Api) -> None:
    answer = await reader.get(f"{REPORTS}/client/4/2024-11-01/2024-11-30")
    assert '"amount_due":900.2,' in answer.text
    assert '"balance":-29.9,' in answer.text
    assert '"deposit_amount":12.5,' in answer.text
