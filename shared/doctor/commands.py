"""The options that `doctor` has in both programs, and how it ends."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import click

from shared.doctor.checkup import NoSuchPart
from shared.doctor.report import Report, exit_status, show
from shared.process import logs
from shared.process.settings import Settings

Function = TypeVar("Function", bound=Callable[..., Any])


def options(command: Function) -> Function:
    """Add --management, --only, --json and --strict to a command."""
    only = click.option(
        "--only", multiple=True, metavar="PART",
        help="Check only this part: settings, postgres and so on, as the names of checks begin.",
    )  # fmt: skip
    management = click.option(
        "--management", metavar="URL",
        help="The HTTP API of RabbitMQ, http://host:15672, for policies and alarms.",
    )  # fmt: skip
    strict = click.option("--strict", is_flag=True, help="Exit with status 1 for warnings, too.")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON (docs/doctor.md).")
    return management(only(as_json(strict(command))))


def end(work: Coroutine[Any, Any, Report], *, as_json: bool, strict: bool) -> None:
    """Run all checks, print the report, and exit with its status."""
    # What the parts log, they also report.
    logs.configure(Settings(log_level="error", log_format="console"))
    try:
        found = asyncio.run(work)
    except NoSuchPart as error:
        raise click.UsageError(str(error)) from None
    show(found, as_json=as_json)
    sys.exit(exit_status(found, strict=strict))
