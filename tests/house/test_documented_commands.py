"""Every command that the docs show exists, with the options that stand behind it."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from services.api.__main__ import cli as api
from services.mailer.__main__ import cli as mailer

ROOT = Path(__file__).parents[2]
PROGRAMS = {"ledgerpost-api": api, "ledgerpost-mailer": mailer}
PAGES = sorted(
    [
        ROOT / "README.md", *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "deploy").rglob("*.md"), *(ROOT / "deploy").rglob("*.service"),
    ]
)  # fmt: skip
# To the end of a line, of a code span, of a cell or of a command in a shell.
SHOWN = re.compile(r"(?<![\w/-])(?:\S*/)?(ledgerpost-api|ledgerpost-mailer)((?: [^`|#;&\n>\"]+)?)")
IN_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)


def shown(page: Path) -> Iterator[tuple[str, list[str]]]:
    """The program and the words of each command that a page shows."""
    text = page.read_text("utf-8")
    parts = IN_CODE.findall(text) if page.suffix == ".md" else [text]
    for part in parts:
        for program, rest in SHOWN.findall(part.replace("\\\n", " ")):
            yield program, rest.replace("[", " ").replace("]", " ").split()


def fault(program: str, words: list[str]) -> str | None:
    """What is wrong with a command, or None."""
    command: click.Command = PROGRAMS[program]
    rest = list(words)
    while isinstance(command, click.Group) and rest and re.fullmatch(r"[a-z][a-z-]*", rest[0]):
        name = rest[0]
        if name not in command.commands:
            if command.invoke_without_command:
                break
            return f"{command.name} has no {name}"
        command = command.commands[rest.pop(0)]
    known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    for word in rest:
        option = word.partition("=")[0].rstrip(".,:")
        if option.startswith("--") and option not in known | {"--help"}:
            return f"{command.name} has no option {option}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_command_exists_with_its_options(page: Path) -> None:
    faults = [
        f"{program} {' '.join(words)}: {what}"
        for program, words in shown(page)
        if (what := fault(program, words))
    ]
    assert faults == []


def test_commands_are_found_in_text_and_in_blocks() -> None:
    found = [each for page in PAGES for each in shown(page)]
    assert ("ledgerpost-api", ["in-doubt", "list", "--business", "ID"]) in found
    assert len(found) > 60


@pytest.mark.parametrize("words", [["keyz"], ["keys", "make"], ["verify", "--quick"]])
def test_a_command_that_is_not_there_is_noticed(words: list[str]) -> None:
    assert fault("ledgerpost-api", words)
