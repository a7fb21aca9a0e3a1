"""What happens to callers while one thing after the other is done to a system under load."""

import time
from dataclasses import dataclass, field


@dataclass
class Step:
    """What was asked for while one thing was done, and how it went; times are in seconds."""

    name: str
    began: float = field(default_factory=time.monotonic)
    took: float = 0
    asked: int = 0
    failed: list[str] = field(default_factory=list)
    slowest: float = 0

    def end(self) -> None:
        """Note how long it took."""
        self.took = time.monotonic() - self.began

    def count(self, began: float, fault: str | None) -> None:
        """Count a request that began at this moment, and what was wrong with its answer."""
        self.asked += 1
        self.slowest = max(self.slowest, time.monotonic() - began)
        if fault is not None:
            self.failed.append(fault)
