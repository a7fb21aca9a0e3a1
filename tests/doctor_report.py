"""Runs `ledgerpost-api doctor`, and finds what it says of one check."""

import json
from dataclasses import dataclass
from typing import Any

from tests.commands import ended


@dataclass(frozen=True)
class Doctor:
    status: int
    report: dict[str, Any]
    err: str

    def of(self, check: str) -> list[tuple[str, str]]:
        """The status and the text of each finding of a check."""
        return [
            (each["status"], each["found"])
            for each in self.report["findings"]
            if each["check"] == check
        ]

    @property
    def statuses(self) -> dict[str, set[str]]:
        """The statuses of the findings of each check."""
        found: dict[str, set[str]] = {}
        for each in self.report["findings"]:
            found.setdefault(each["check"], set()).add(each["status"])
        return found

    @property
    def not_ok(self) -> dict[str, set[str]]:
        return {name: found for name, found in self.statuses.items() if found != {"ok"}}


async def doctor(*words: str, program: str = "services.api", **settings: str) -> Doctor:
    done = await ended(program, "doctor", "--json", *words, settings=settings)
    assert done.out, done.err
    return Doctor(done.status, json.loads(done.out), done.err)
