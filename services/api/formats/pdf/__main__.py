"""Starts a process that typesets reports: `python -m services.api.formats.pdf`."""

import signal


def main() -> None:
    """Serve requests until the pipe is closed."""
    # A process manager signals children, too; the API ends them by the pipe. Ignored before the
    # imports below, which take long.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    from services.api.formats.pdf import worker  # noqa: PLC0415 -- see above

    worker.serve()


if __name__ == "__main__":
    main()
