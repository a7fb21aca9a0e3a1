"""Health checks of the resources of a process."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

Check = Callable[[], Awaitable[object]]
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
        self._old_names: dict[str, str] = {}
        self._last: dict[str, str] = {}

    def register(self, name: str, check: Check, *, old_name: str | None = None) -> None:
        """Add the check of the resource `name`.

        Monitors may use the old name of a resource: for one release the report has both.
        """
        self._checks[name] = check
        if old_name is not None:
            self._old_names[old_name] = name

    async def report(self) -> dict[str, str]:
        """Run all checks at once; return `ok` or what is wrong, in one line, by resource."""
        # Further checks may be registered while these run.
        checks = dict(self._checks)
        answers = await asyncio.gather(*(self._ask(*named) for named in checks.items()))
        report = dict(zip(checks, answers, strict=True))
        return report | {old: report[name] for old, name in self._old_names.items()}

    async def _ask(self, name: str, check: Check) -> str:
        try:
            async with asyncio.timeout(self._timeout):
                await check()
        except Unwell as error:
            return self._noted(name, public_text(error), error)
        except TimeoutError as error:
            return self._noted(name, f"no answer within {self._timeout:g} s", error)
        except Exception as error:  # noqa: BLE001 -- any error of a check is its result
            return self._noted(name, public_text(error), error)
        return self._noted(name, "ok")

    def _noted(self, name: str, answer: str, error: Exception | None = None) -> str:
        """Return `answer`; log the full error once, not at each probe."""
        if error is not None and self._last.get(name) != answer:
            cause = error.__cause__ or error
            _log.warning("resource is not well", resource=name, error=repr(cause))
        self._last[name] = answer
        return answer


def well(report: dict[str, str]) -> bool:
    """Return whether every resource of `report` is ok."""
    return all(answer == "ok" for answer in report.values())
