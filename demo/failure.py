from pathlib import Path


class DemoFailed(Exception):
    """The demo failed; `log` is the file with the reason, if there is one."""

    def __init__(self, what: str, log: Path | None = None) -> None:
        super().__init__(what)
        self.log = log

    def tail(self, lines: int = 25) -> str:
        """Return the end of the log, or an empty text."""
        if self.log is None or not self.log.exists():
            return ""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])
