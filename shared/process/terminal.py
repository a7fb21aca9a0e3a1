"""Output of commands: texts of others cannot control the terminal."""

import sys

import click

from shared.text import escaped


def say(text: object, *, err: bool = False) -> None:
    """Print one line, in which unprintable characters are escaped."""
    click.echo(escaped(str(text)), err=err)


def show(content: bytes, *, raw: bool) -> None:
    """Print `content`; at a terminal unprintable characters are escaped, unless `raw`."""
    if raw or not sys.stdout.isatty():
        click.echo(content)
    else:
        click.echo(escaped(content.decode(errors="backslashreplace"), kept="\n\t"))
