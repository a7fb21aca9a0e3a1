"""What commands print: the text of a stranger cannot steer the terminal on which it is shown."""

import sys

import click

from shared.text import escaped


def say(text: object, *, err: bool = False) -> None:
    """Print one line, with an escape for each sign in it that cannot be printed."""
    click.echo(escaped(str(text)), err=err)


def show(content: bytes, *, raw: bool) -> None:
    """Print `content`: with escapes at a terminal, unless `raw`, and as it is anywhere else."""
    if raw or not sys.stdout.isatty():
        click.echo(content)
    else:
        click.echo(escaped(content.decode(errors="backslashreplace"), kept="\n\t"))
