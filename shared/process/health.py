"""Health checks of the resources of a process."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

OK: Final = "ok"

Check = Callable[[], Awaitable[object]]
Warn = Callable[[], Awaitable[str]]
_log = structlog.get_logger("ledgerpost.health")


class Unwell(Exception):
    """What is wrong with a resource; the message is safe to publish."""


def public_text(error: Exception) -> str:
    """Return the part of `error` that is safe to publish, in one line.

    This is the message of an Unwell, and the type of any other error: a full message of Postgres or
    RabbitMQ may contain users and hosts, and belongs into the log.
    """
    words = str(error).splitlines() if isinstance(error, Unwell) else []
    return words[0] if words else type(error).__name__


class Health:
    """A registry of checks, one per resource; a check raises what is wrong."""

    def __init__(self, *, timeout: float = 2.0) -> None:
        self._timeout = timeout
        self._checks: dict[str, Check] = {}
        self._warn: dict[str, Warn] = {}
        self._old_names: dict[str, str] = {}
        self._last: dict[str, str] = {}

    def register(self, name: str, check: Check, *, old_name: str | None = None) -> None:
        """Add the check of the resource `name`.

        Monitors may use the old name of a resource: for one release the report has both.
        """
        self._checks[name] = check
        if old_name is not None:
            self._old_names[old_name] = name

    def warn(self, name: str, said: Warn) -> None:
        """Add what may warn about `name`; `said` returns the warning, or an empty text."""
        self._warn[name] = said

    async def warnings(self) -> dict[str, str]:
        """Return the warnings there are. The process can work all the same."""
        answers = await asyncio.gather(*map(self._said, self._warn.values()))
        return {name: said for name, said in zip(self._warn, answers, strict=True) if said}

    async def readiness(self) -> tuple[dict[str, object], bool]:
        """Return what /health/ready answers, and whether every resource is ok."""
        report, warnings = await asyncio.gather(self.report(), self.warnings())
        ok = well(report)
        answer: dict[str, object] = {"status": "ok" if ok else "unavailable", "checks": report}
        return answer | ({"warnings": warnings} if warnings else {}), ok

    async def report(self) -> dict[str, str]:
        """Return the states of all resources, also under their old names."""
        states = await self.states()
        return states | {old: states[name] for old, name in self._old_names.items()}

    async def states(self, *, quietly: bool = False) -> dict[str, str]:
        """Run all checks at once; return `ok` or what is wrong, in one line, by resource.

        `quietly` is for a process that is starting: what is not there yet is no fault.
        """
        # Further checks may be registered while these run.
        checks = dict(self._checks)
        answers = await asyncio.gather(*(self._ask(*named, quietly) for named in checks.items()))
        return dict(zip(checks, answers, strict=True))

    async def _said(self, said: Warn) -> str:
        try:
            async with asyncio.timeout(self._timeout):
                return await said()
        except Exception:  # noqa: BLE001 -- the check of the resource says what is wrong
            return ""

    async def _ask(self, name: str, check: Check, quietly: bool) -> str:  # noqa: FBT001
        try:
            async with asyncio.timeout(self._timeout):
                await check()
        except Exception as error:  # noqa: BLE001 -- any error of a check is its result
            answer = self._answer(error)
            return answer if quietly else self._noted(name, answer, error)
        return self._noted(name, OK)

    def _answer(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"no answer within {self._timeout:g} s"
        return public_text(error)

    def _noted(self, name: str, answer: str, error: Exception | None = None) -> str:
        """Return `answer`; log the full error once, not at each probe."""
        if error is not None and self._last.get(name) != answer:
            cause = error.__cause__ or error
            _log.warning("resource_unwell", resource=name, error=repr(cause))
        self._last[name] = answer
        return answer


def well(report: dict[str, str]) -> bool:
    """Return whether every resource of `report` is ok.

    Of several databases, as `postgres.main` and `postgres.east`, one suffices for each resource:
    the process serves the businesses of that one.
    """
    resources: dict[str, bool] = {}
    for name, answer in report.items():
        resource = name.partition(".")[0]
        resources[resource] = resources.get(resource, False) or answer == OK
    return all(resources.values())
