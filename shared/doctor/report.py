"""The report of `doctor`: for people, and as JSON for programs."""

from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Literal

import click
from pydantic import BaseModel, ConfigDict, Field

from shared.doctor.finding import Finding, Status
from shared.process.terminal import say

_RANK = {Status.OK: 0, Status.SKIPPED: 0, Status.WARNING: 1, Status.FAILURE: 2}


class Report(BaseModel):
    """All findings of one run of `doctor`."""

    model_config = ConfigDict(frozen=True, title="Report of doctor")

    version: Literal[1] = Field(description="The version of this format.")
    program: str = Field(description="`ledgerpost-api` or `ledgerpost-mailer`.")
    release: str = Field(description="The version of Ledgerpost.")
    at: datetime = Field(description="When the checks ended, by the clock of this machine.")
    status: Literal["ok", "warning", "failure"] = Field(
        description="The most serious status of a finding; a skipped check counts as ok."
    )
    findings: list[Finding] = Field(description="In a fixed order of the checks.")


def report(program: str, findings: Iterable[Finding]) -> Report:
    """Return the report of a program."""
    ordered = sorted(findings, key=lambda each: each.check.partition(".")[0])
    worst = max((_RANK[each.status] for each in ordered), default=0)
    return Report(
        version=1,
        program=program,
        release=version("ledgerpost"),
        at=datetime.now(UTC).replace(microsecond=0),
        status=("ok", "warning", "failure")[worst],
        findings=ordered,
    )


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a report."""
    described = Report.model_json_schema(mode="serialization")
    # Every field is written, those with a default too.
    described["$defs"]["Finding"]["required"] = list(Finding.model_fields)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}


def show(found: Report, *, as_json: bool) -> None:
    """Print a report."""
    if as_json:
        click.echo(found.model_dump_json(indent=2))
        return
    width = max((len(each.check) for each in found.findings), default=0)
    for each in found.findings:
        say(f"{each.status:8} {each.check:{width}}  {each.found}")
        if each.advice:
            say(f"{'':8} {'':{width}}  -> {each.advice}")
    counts = dict.fromkeys(Status, 0) | _counts(found.findings)
    say(", ".join(f"{count} {status}" for status, count in counts.items()))


def exit_status(found: Report, *, strict: bool) -> int:
    """Return 1 if there is a failure, or with `strict` a warning; otherwise 0."""
    return int(found.status == "failure" or (strict and found.status == "warning"))


def _counts(findings: Iterable[Finding]) -> dict[Status, int]:
    counts: dict[Status, int] = {}
    for each in findings:
        counts[each.status] = counts.get(each.status, 0) + 1
    return counts
