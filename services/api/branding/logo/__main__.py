"""Starts a process that re-encodes one logo: `python -m services.api.branding.logo`."""

import signal


def main() -> None:
    """Read the file from standard input, and write the answer to standard output."""
    # A process manager signals children, too; the API ends them. Ignored before the imports below.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    from services.api.branding.logo import worker  # noqa: PLC0415 -- see above

    worker.work()


if __name__ == "__main__":
    main()
