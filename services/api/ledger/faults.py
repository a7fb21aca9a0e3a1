"""The faults of an import, as messages for its user."""

from dataclasses import dataclass, field


class ImportRefused(Exception):
    """Nothing was imported; each of `errors` is a line `file:line: column: what is wrong`."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


@dataclass
class Faults:
    """The first bad rows, at most `limit` lines of them."""

    limit: int = 20
    lines: list[str] = field(default_factory=list)

    def add(self, file: str, line: int, column: str, what: str) -> None:
        """Add a fault, or drop it if the limit is reached."""
        if not self.full:
            self.lines.append(f"{file}:{line}: {column}: {what}")

    @property
    def full(self) -> bool:
        """Whether the limit is reached, so that further checks are useless."""
        return len(self.lines) >= self.limit

    def refuse_if_any(self) -> None:
        """Raise ImportRefused if there is a fault."""
        if not self.lines:
            return
        more = [f"only the first {self.limit} faults are shown"] if self.full else []
        raise ImportRefused([*self.lines, *more])


def quoted(value: str) -> str:
    """Return a value for a message: quoted, on one line, without control characters, and short."""
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:50]}...{shown[-1]}"  # noqa: PLR2004 - a line's worth
