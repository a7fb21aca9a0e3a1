"""Which of a process's resources are well."""

import asyncio
from collections.abc import Awaitable, Callable

Check = Callable[[], Awaitable[object]]


class Health:
    """A registry of checks, one per resource; a check that raises says what is wrong with it."""

    def __init__(self, *, timeout: float = 2.0) -> None:
        self._timeout = timeout
        self._checks: dict[str, Check] = {}

    def register(self, name: str, check: Check) -> None:
        """Ask `check` from now on about the resource `name`."""
        self._checks[name] = check

    async def report(self) -> dict[str, str]:
        """Ask all checks at once; return `ok` or what is wrong, in one line, by resource."""
        # Others may be registered before all of these have answered.
        checks = dict(self._checks)
        answers = await asyncio.gather(*(self._ask(check) for check in checks.values()))
        return dict(zip(checks, answers, strict=True))

    async def _ask(self, check: Check) -> str:
        try:
            async with asyncio.timeout(self._timeout):
                await check()
        except TimeoutError:
            return f"no answer within {self._timeout:g} s"
        except Exception as error:  # noqa: BLE001 -- whatever a resource raises is its report
            return (str(error) or type(error).__name__).splitlines()[0]
        return "ok"


def well(report: dict[str, str]) -> bool:
    """Return whether every resource of `report` is ok."""
    return all(answer == "ok" for answer in report.values())
