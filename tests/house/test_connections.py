"""The figures that operators size max_connections by are those of the code."""

import re
from pathlib import Path

from services.api import app as api
from services.api.relay import app as relay
from services.mailer import app as mailer

DOCS = Path(__file__).parents[2] / "docs" / "operations.md"


def test_the_docs_say_how_many_connections_each_process_opens() -> None:
    table = DOCS.read_text().partition("| connections to Postgres |")[2].partition("\n\n")[0]
    told = dict(re.findall(r"^\| (\w+) \| (\d+)", table, re.MULTILINE))
    assert told == {
        "API": str(api.DATABASE_CONNECTIONS),
        "relay": str(relay.DATABASE_CONNECTIONS),
        "mailer": str(mailer.DATABASE_CONNECTIONS),
    }
