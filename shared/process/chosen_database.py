"""The option of a program that chooses one of several databases."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import click

from shared.db.databases import entries
from shared.process.environment import setting

_NAME: Final = "DATABASE_URLS"


def option(group: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--database NAME` to a group of commands, whose object is the environment."""
    return click.option(
        "--database",
        metavar="NAME",
        expose_value=False,
        callback=_choose,
        help="Only this one of the databases in DATABASE_URLS.",
    )(group)


def _choose(context: click.Context, _: click.Parameter, name: str | None) -> None:
    if name is not None:
        try:
            context.obj = only(context.obj, name)
        except ValueError as error:
            raise click.UsageError(str(error)) from None


def only(environ: Mapping[str, str], name: str) -> dict[str, str]:
    """Return the environment with one of the databases in DATABASE_URLS.

    Raises ValueError if it is not there.
    """
    given = setting(environ, _NAME)
    found = entries(given.value) if given is not None else {}
    if name not in found:
        raise ValueError(f"--database: {_NAME} has {', '.join(found) or 'no database'}")
    others = {key: value for key, value in environ.items() if key != f"{_NAME}_FILE"}
    return {**others, _NAME: f"{name}={found[name]}"}
