"""Prints .env.example: the settings that docker-compose.yml takes from .env (`make contract`)."""

import re
from pathlib import Path

from shared.process.environment import OLD_NAMES

ROOT = Path(__file__).resolve().parents[1]
_HEAD = """\
# The settings that docker-compose.yml takes from a file .env beside it: copy this file, and remove
# the # from the settings that you change. Each setting has its default here. Made by `make
# contract` from docs/configure.md.
"""
# The settings of the compose file itself.
_OF_COMPOSE = {
    "API_PORT": ("8080", "the API's port on 127.0.0.1"),
    "DKIM_KEYS_FILE": (
        "./docker/dkim_keys",
        "the file with the keys that sign mails: docs/dkim.md",
    ),
    "MAILPIT_PORT": ("8025", "the inbox's port on 127.0.0.1"),
    "PROMETHEUS_PORT": ("9090", "Prometheus on 127.0.0.1, with the profile observability"),
    "GRAFANA_PORT": ("3000", "Grafana on 127.0.0.1, with the profile observability"),
    "RETURNS_PORT": ("2525", "the port on 127.0.0.1 to which a mail server sends returned mail"),
    "SMTP_URL_FILE": ("./docker/smtp_url", "the file with the URL of your mail server"),
}
ROW = re.compile(r"^\| (`[A-Z_`, ]+`) \| (.*?) \| (.*?) \| (.*) \|$", re.MULTILINE)


def documented() -> dict[str, tuple[str, str]]:
    """Return the default and the meaning of every setting in docs/configure.md, by its name."""
    found: dict[str, tuple[str, str]] = {}
    for names, default, _, meaning in ROW.findall((ROOT / "docs/configure.md").read_text("utf-8")):
        for place, name in enumerate(re.findall("[A-Z_]+", names)):
            values = default.split(", ")
            value = values[min(place, len(values) - 1)].replace("–", "")
            found[name] = (value, _plain(meaning))
    return found


def taken() -> list[str]:
    """Return the settings that the compose file takes, in its order, without old names."""
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    names = re.findall(r"^      ([A-Z_]+):$|\$\{([A-Z_]+)", text, re.MULTILINE)
    new = dict.fromkeys(passed or filled for passed, filled in names)
    return [name for name in new if name not in OLD_NAMES.values()]


def text() -> str:
    """Return the file."""
    known = documented() | _OF_COMPOSE
    return "\n".join([_HEAD, *(f"# {known[n][1]}\n#{n}={known[n][0]}\n" for n in sorted(taken()))])


def _plain(meaning: str) -> str:
    """Return the first sentence without its markup."""
    without_links = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", meaning)
    return without_links.split(". ")[0].replace("`", "")


if __name__ == "__main__":
    print(text(), end="")
