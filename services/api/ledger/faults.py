"""What is wrong with an import, in the words that its user reads."""

from dataclasses import dataclass, field


class ImportRefused(Exception):
    """Nothing was imported; `errors` are one line each, `file:line: column: what is wrong`."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


@dataclass
class Faults:
    """The first bad rows, at most `limit` lines of them."""

    limit: int = 20
    lines: list[str] = field(default_factory=list)

    def add(self, file: str, line: int, column: str, what: str) -> None:
        """Note one fault; beyond the limit it is dropped."""
        if not self.full:
            self.lines.append(f"{file}:{line}: {column}: {what}")

    @property
    def full(self) -> bool:
        """Whether looking further is of no use."""
        return len(self.lines) >= self.limit

    def refuse_if_any(self) -> None:
        """Raise ImportRefused when something was noted."""
        if not self.lines:
            return
        more = [f"only the first {self.limit} faults are shown"] if self.full else []
        raise ImportRefused([*self.lines, *more])


def quoted(value: str) -> str:
    """Show a value in a message: in quotes, on one line, with no control characters, and short."""
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:50]}...{shown[-1]}"  # noqa: PLR2004 - a line's worth
