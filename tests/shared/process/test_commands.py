"""An error of a command is printed in one line that does not control the terminal."""

import click
import pytest
from click.testing import CliRunner

from shared.process.commands import Commands
from shared.process.settings import SettingsError


@pytest.mark.parametrize(
    ("error", "status"), [(click.ClickException, 1), (SettingsError, 2)], ids=["other", "setting"]
)
def test_an_error_is_one_line_without_control_characters(
    error: type[Exception], status: int
) -> None:
    @click.group(cls=Commands)
    def cli() -> None:
        pass

    @cli.group()
    def inner() -> None:
        pass

    @inner.command()
    def fail() -> None:
        raise error("RabbitMQ: \x1b[2J\nforged")

    ended = CliRunner().invoke(cli, ["inner", "fail"])
    assert ended.exit_code == status
    assert ended.stderr == "Error: RabbitMQ: \\x1b[2J\\nforged\n"
