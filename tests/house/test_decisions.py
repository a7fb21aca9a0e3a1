from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_architecture_lists_every_decision() -> None:
    text = (DOCS / "architecture.md").read_text("utf-8")
    for path in (DOCS / "adr").glob("*.md"):
        assert f"(adr/{path.name})" in text, path.name
