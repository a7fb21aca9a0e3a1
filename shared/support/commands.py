"""The option of `support-bundle` in both programs, and how it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import click

from shared.doctor.report import Report
from shared.process import logs
from shared.process.settings import Settings
from shared.process.terminal import say
from shared.support.bundle import NotWritten, Sources, contents, write

OUT = click.option(
    "--out", type=click.Path(path_type=Path), required=True,
    help="A new file, such as support.tar.gz.",
)  # fmt: skip


def make(path: Path, sources: Sources, check: Callable[[], Awaitable[Report]]) -> None:
    """Write the bundle and print its path; exit status 1 if it cannot be written."""
    logs.configure(Settings(log_level="error", log_format="console"))

    async def run() -> dict[str, str]:
        return await contents(sources, check())

    try:
        write(path, lambda: asyncio.run(run()))
    except NotWritten as error:
        raise click.ClickException(str(error)) from None
    say(path)
