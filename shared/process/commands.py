"""The group of commands of a program; prints wrong settings in one line."""

from typing import Any

import click

from shared.process.settings import SettingsError


class Commands(click.Group):
    """Prints a wrong setting in one line and exits with status 2; -h shows the help."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("context_settings", {"help_option_names": ["-h", "--help"]})
        super().__init__(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that the arguments name."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise _WrongSetting(str(error)) from None


class _WrongSetting(click.ClickException):
    exit_code = 2
