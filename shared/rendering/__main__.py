"""Starts a rendering process: `python -m shared.rendering [--pdf]`."""

import signal
import sys


def main() -> None:
    """Serve requests until the pipe is closed."""
    # A process manager signals children, too. Only the parent stops: it closes the pipe after its
    # last message, or by its death. Ignored before the imports below, which take long.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    from shared.rendering import worker  # noqa: PLC0415 -- see above

    worker.serve(pdf="--pdf" in sys.argv[1:])


if __name__ == "__main__":
    main()
