"""Starts a process that writes one workbook: `python -m services.api.formats.xlsx FILE`."""

import signal
import sys


def main() -> None:
    """Write the workbook to the file and the answer to standard output."""
    # A process manager signals children, too; the API ends them by the pipe. Ignored before the
    # imports below, which take long.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    from services.api.formats.xlsx import worker  # noqa: PLC0415 -- see above

    worker.write(sys.argv[1])


if __name__ == "__main__":
    main()
