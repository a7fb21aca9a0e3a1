"""The help of the commands, and their output if all is well."""

from collections.abc import Iterator

import click
import pytest

from services.api.__main__ import cli
from services.mailer.__main__ import cli as mailer
from tests.services.api.command import run

ROOM = 45  # what a terminal of 80 columns leaves beside the longest name


def groups(group: click.Group, path: str) -> Iterator[tuple[str, click.Group]]:
    yield path, group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from groups(command, f"{path} {name}")


@pytest.mark.parametrize(
    ("path", "group"), [*groups(cli, "ledgerpost-api"), *groups(mailer, "ledgerpost-mailer")]
)
def test_no_line_of_a_list_of_commands_is_cut(path: str, group: click.Group) -> None:
    for name, command in group.commands.items():
        told = command.get_short_help_str(ROOM)
        assert not told.endswith("..."), f"{path} {name}: {told}"


async def test_they_say_that_all_is_well(golden: str) -> None:
    status = await run("status", DATABASE_URL=golden)
    assert status.out == "all is well: nothing is paused, every mail is in a final state\n"
    doubts = await run("in-doubt", "list", DATABASE_URL=golden)
    assert doubts.out == "all is well: no mail is in doubt\n"


async def test_a_business_that_does_not_exist_is_not_paused(golden: str) -> None:
    refused = await run("pause", "--business", "7", DATABASE_URL=golden)
    assert (refused.status, refused.err) == (1, "Error: there is no business 7\n")
    assert (await run("pause", "--business", "1", DATABASE_URL=golden)).status == 0
    assert "paused since" in (await run("status", DATABASE_URL=golden)).out


async def test_a_text_of_a_server_does_not_control_the_terminal(golden: str) -> None:
    url = golden.rpartition("/")[0] + "/x%1b%5b2J%0aforged"
    refused = await run("status", DATABASE_URL=url)
    assert refused.status == 1
    assert refused.err.startswith('Error: Postgres: database "x\\x1b[2J')
    assert refused.err.count("\n") == 1
    assert "\x1b" not in refused.err
