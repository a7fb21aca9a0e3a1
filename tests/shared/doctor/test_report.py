"""The report of doctor: its schema, its status, and what a person sees."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from shared.doctor import report
from shared.doctor.finding import Finding, Status

ROOT = Path(__file__).parents[3]


def finding(check: str, status: Status, advice: str = "") -> Finding:
    return Finding(check=check, status=status, found="something", advice=advice)


def test_the_committed_schema_is_current_and_describes_a_report() -> None:
    committed = json.loads((ROOT / "docs" / "doctor.schema.json").read_text("utf-8"))
    assert committed == report.schema(), "run make contract"
    found = report.report("ledgerpost-api", [finding("a.b", Status.WARNING, "do it")])
    Draft202012Validator(committed).validate(json.loads(found.model_dump_json()))


@pytest.mark.parametrize(
    ("statuses", "status", "usual", "strict"),
    [
        (["ok", "skipped"], "ok", 0, 0),
        (["ok", "warning"], "warning", 0, 1),
        (["failure", "warning"], "failure", 1, 1),
        ([], "ok", 0, 0),
    ],
)
def test_the_worst_finding_decides(
    statuses: list[str], status: str, usual: int, strict: int
) -> None:
    found = report.report("x", [finding("a.b", Status(each)) for each in statuses])
    assert found.status == status
    assert report.exit_status(found, strict=False) == usual
    assert report.exit_status(found, strict=True) == strict


def test_a_person_sees_what_to_do_and_how_many_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    findings = [finding("b.c", Status.OK), finding("a.b", Status.FAILURE, "do it\x1b[2J")]
    report.show(report.report("x", findings), as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "failure  a.b  something",
        "              -> do it\\x1b[2J",
        "ok       b.c  something",
        "1 ok, 0 skipped, 0 warning, 1 failure",
    ]
