"""The tree in docs/architecture.md has every room, and no other."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
TOP = ("shared", "services/api", "services/mailer", "provision", "demo", "tests")


def drawn() -> set[str]:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8").split("```")[1]
    rooms, path = set(), [""]
    for line in text.splitlines():
        name = line.split(" ", 1)[0] if line[:1] != " " else line.split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        if name.endswith("/") and depth <= len(path):
            path = [*path[:depth], name.rstrip("/")]
            rooms.add("/".join(path))
    return rooms


def rooms() -> set[str]:
    """The packages with Python or SQL; a folder of data belongs to the room around it."""
    found = set(TOP)
    for top in ("shared", "services/api", "services/mailer"):
        for path in (ROOT / top).rglob("*"):
            if path.suffix in {".py", ".sql"} and path.name != "__init__.py":
                found.add(str(path.parent.relative_to(ROOT)))
    return found


def test_every_room_is_drawn() -> None:
    inner = {"services/api/contract/page"}
    assert drawn() == rooms() - inner


def test_a_room_with_a_readme_says_so() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8").split("```")[1]
    readmes = sum((ROOT / room / "README.md").exists() for room in rooms())
    assert readmes == text.count("(README")
