"""Words that had several meanings, or were our own for something that has a name, stay retired."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8").partition("## Retired words")[2]
FOLDERS = ("bench", "demo", "deploy", "docker", "docs", "provision", "services", "shared", "tests")
TEXTS = {".md", ".py", ".sql", ".yml", ".toml", ".sh", ".txt", ".html", ".json"}
# What others released, wrote or measured, and what tells of old names because it is about them.
LEFT_ALONE = (
    "CHANGELOG.md", "docs/glossary.md", "tests/house/test_retired_words.py",
    "tests/shared/deliveries/test_reason_codes.py",  # sentences of earlier versions
    "shared/db/migrations/", "services/api/contract/page/swagger-ui/", "requirements/",
)  # fmt: skip
MAILER = r"(services/mailer|shared/(mail|rendering|statements|amqp)|tests/services/mailer)/"

# The word, what it looks like in a text, and where it must not be found.
IN_TEXTS = {
    "mail relay": (r"\b[Mm]ail[ _-]relays?\b|RelayAtFault|\brelay_rate\b", r""),
    "compositor": (r"(?i)compositor(?!s\")", r""),
    "letter": (r"class Letters?\b|def _?letters?\b", MAILER),
    "press": (r"class (Press|Printer|Copy)\b", r""),
    "order": (r"class Orders?\b", r""),
    "handover": (r"\bhandover\b", r"(services|shared|docs)/"),
    "keep": (r"def _?keep\b|self\._kept\b|class _?Kept\b", MAILER),
    "held": (r"self\._held\b", MAILER),
    "rows": (r"class Rows\b|self\._rows\b", MAILER),
    "batch": (r"class Batches\b", r"(services/mailer|shared)/"),
    "strangers": (r"\bstrangers?\.(met|py)\b|class Strangers\b", r""),
    "places": (r"class Places\b", r""),
    "manners": (r"(?i)\bmanners\b", r""),
}
# Files are named by nouns of the field.
FILES = re.compile(
    r"(^|/)(bodies|byhand|child|compositors?|doubts|gathered|handover|held|inputs|keeping|lending"
    r"|letters?|moments|orders|places|printing|strangers?|told|waiting|zipped)\.(py|sql)$"
)


def paths() -> list[str]:
    found = [
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in TEXTS and "node_modules" not in path.parts
    ]
    found += [path.name for path in ROOT.iterdir() if path.suffix in TEXTS]
    return sorted(name for name in found if not name.startswith(LEFT_ALONE))


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {name: (ROOT / name).read_text("utf-8", "replace") for name in paths()}


@pytest.mark.parametrize("word", IN_TEXTS)
def test_a_retired_word_does_not_come_back(word: str, texts: dict[str, str]) -> None:
    form, where = IN_TEXTS[word]
    met = [
        f"{name}: {found[0]}"
        for name, text in texts.items()
        if re.match(where, name)
        for found in re.finditer(form, text)
    ]
    assert met == []


def test_no_file_has_a_retired_name(texts: dict[str, str]) -> None:
    assert [name for name in texts if FILES.search(name)] == []


def test_the_glossary_says_what_is_said_instead() -> None:
    listed = re.findall(r"\*([a-z ]+)\*", GLOSSARY)
    assert set(IN_TEXTS) <= set(listed)
