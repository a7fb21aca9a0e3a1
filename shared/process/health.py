"""Which of a process's resources are well."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

Check = Callable[[], Awaitable[object]]
_log = structlog.get_logger("ledgerpost.health")


class Unwell(Exception):
    """What is wrong with a resource, in words that everybody may read."""


def told(error: Exception) -> str:
    """Return what everybody may read of `error`, in one line.

    These are the words of an Unwell. Of all others it is their kind: what Postgres or RabbitMQ
    say in full may name users and hosts, and belongs into the log.
    """
    words = str(error).splitlines() if isinstance(error, Unwell) else []
    return words[0] if words else type(error).__name__


class Health:
    """A registry of checks, one per resource; a check that raises says what is wrong with it."""

    def __init__(self, *, timeout: float = 2.0) -> None:
        self._timeout = timeout
        self._checks: dict[str, Check] = {}
        self._old_names: dict[str, str] = {}
        self._last: dict[str, str] = {}

    def register(self, name: str, check: Check, *, old_name: str | None = None) -> None:
        """Add the check of the resource `name`.

        Monitors may read the resource's old name: for one release the report has both.
        """
        self._checks[name] = check
        if old_name is not None:
            self._old_names[old_name] = name

    async def report(self) -> dict[str, str]:
        """Ask all checks at once; return `ok` or what is wrong, in one line, by resource."""
        # Others may be registered before all of these have answered.
        checks = dict(self._checks)
        answers = await asyncio.gather(*(self._ask(*named) for named in checks.items()))
        report = dict(zip(checks, answers, strict=True))
        return report | {old: report[name] for old, name in self._old_names.items()}

    async def _ask(self, name: str, check: Check) -> str:
        try:
            async with asyncio.timeout(self._timeout):
                await check()
        except Unwell as error:
            return self._noted(name, told(error), error)
        except TimeoutError as error:
            return self._noted(name, f"no answer within {self._timeout:g} s", error)
        except Exception as error:  # noqa: BLE001 -- whatever a resource raises is its report
            return self._noted(name, told(error), error)
        return self._noted(name, "ok")

    def _noted(self, name: str, answer: str, error: Exception | None = None) -> str:
        """Return `answer`; log in full what is wrong, once and not at each probe."""
        if error is not None and self._last.get(name) != answer:
            cause = error.__cause__ or error
            _log.warning("resource is not well", resource=name, error=repr(cause))
        self._last[name] = answer
        return answer


def well(report: dict[str, str]) -> bool:
    """Return whether every resource of `report` is ok."""
    return all(answer == "ok" for answer in report.values())
