"""The group of commands of a program; prints each error in one line."""

from typing import Any

import click

from shared.process.settings import SettingsError
from shared.text import escaped


class Commands(click.Group):
    """Prints an error in one line and exits with status 1, or 2 for a wrong setting; -h shows help.

    An error may quote a server: its control characters are escaped.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("context_settings", {"help_option_names": ["-h", "--help"]})
        super().__init__(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that the arguments name, and escape the text of its error."""
        try:
            return self.run(ctx)
        except SettingsError as error:
            raise _WrongSetting(escaped(str(error))) from None
        except click.UsageError:
            raise
        except click.ClickException as error:
            raise click.ClickException(escaped(error.format_message())) from None

    def run(self, ctx: click.Context) -> Any:
        """Run the command that the arguments name; for subclasses that know further errors."""
        return super().invoke(ctx)


class _WrongSetting(click.ClickException):
    exit_code = 2
