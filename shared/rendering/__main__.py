"""Starts a rendering process: `python -m shared.rendering [--pdf [--public-url URL]]`."""

import argparse
import signal


def main() -> None:
    """Serve requests until the pipe is closed."""
    # A process manager signals children, too. Only the parent stops: it closes the pipe after its
    # last message, or by its death. Ignored before the imports below, which take long.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    from shared.rendering import worker  # noqa: PLC0415 -- see above

    arguments = argparse.ArgumentParser()
    arguments.add_argument("--pdf", action="store_true")
    arguments.add_argument("--public-url")
    given = arguments.parse_args()
    worker.serve(pdf=given.pdf, public_url=given.public_url)


if __name__ == "__main__":
    main()
