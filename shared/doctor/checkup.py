"""A run of checks, each of which ends in time, whatever the server that it asks does."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from shared.doctor.finding import Finding, Said, failure
from shared.doctor.masking import Masking

# For one check; broker.connect alone may take 10 seconds.
CHECK_S = 15.0
# For all checks together. Those of one server run one after the other.
TOTAL_S = 60.0


#: All checks of one server or thing.
Part = Callable[[], Awaitable[None]]


class NoSuchPart(ValueError):
    """There is no such part of the checks for this program and these settings."""


class Checkup:
    """Runs checks and collects their findings, without secrets and addresses."""

    def __init__(self, masking: Masking, *, check: float = CHECK_S, total: float = TOTAL_S) -> None:
        """Create it; `check` and `total` are limits in seconds."""
        self.findings: list[Finding] = []
        self._masking = masking
        self._limit = check
        self._total = total

    async def check(self, name: str, check: Awaitable[Said | Sequence[Said]]) -> None:
        """Run one check and note what it says; its error, or its silence, is a failure."""
        try:
            async with asyncio.timeout(self._limit):
                said = await check
        except TimeoutError:
            said = failure(
                f"no result within {self._limit:g} s",
                "see whether the server is overloaded, or a firewall drops its packets",
            )
        except Exception as error:  # noqa: BLE001 -- any error of a check is its result
            said = failure(
                f"the check failed: {type(error).__name__}: {error}",
                "if the reason is not clear, report this as a fault of Ledgerpost",
            )
        self.note(name, said)

    def note(self, name: str, said: Said | Sequence[Said]) -> None:
        """Note findings."""
        for each in [said] if isinstance(said, Said) else said:
            self.findings.append(
                Finding(
                    check=name,
                    status=each.status,
                    found=self._masking(each.found),
                    advice=self._masking(each.advice),
                )
            )

    async def run(self, parts: Mapping[str, Part], only: Sequence[str] = ()) -> None:
        """Run the parts at once, or `only` some, each named after what it looks at.

        Returns in time also if a part does not: the part is then a failure. Raises NoSuchPart.
        """
        unknown = [name for name in only if name not in parts]
        if unknown:
            raise NoSuchPart(f"{', '.join(unknown)}: the parts are {', '.join(parts)}")
        chosen = [name for name in parts if not only or name in only]
        tasks = {asyncio.ensure_future(parts[name]()): name for name in chosen}
        done, late = await asyncio.wait(tasks, timeout=self._total)
        for task in late:
            task.cancel()
            self.note(
                tasks[task],
                failure(
                    f"not finished within {self._total:g} s",
                    "run doctor again when the server has less to do",
                ),
            )
        for task in done:
            task.result()
