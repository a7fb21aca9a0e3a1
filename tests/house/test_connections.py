"""The documented numbers of connections are those of the code."""

import re
from pathlib import Path

from services.api import app as api
from services.api.relay import database_loops as relay
from services.mailer import app as mailer
from services.mailer.returns import app as returns

DOCS = Path(__file__).parents[2] / "docs"
LISTENER = 1


def test_the_docs_say_how_many_connections_each_process_opens() -> None:
    table = (DOCS / "postgres.md").read_text("utf-8").partition("| connections to Postgres |")[2]
    told = dict(re.findall(r"^\| (\w+) \| (\d+)", table.partition("\n\n")[0], re.MULTILINE))
    assert told == {
        "API": str(api.DATABASE_CONNECTIONS),
        "relay": str(relay.DATABASE_CONNECTIONS),
        "mailer": str(mailer.DATABASE_CONNECTIONS),
        "listener": str(returns.DATABASE_CONNECTIONS),
    }


def test_the_page_of_compose_says_the_same() -> None:
    text = " ".join((DOCS / "docker.md").read_text("utf-8").split())
    told = re.search(
        r"A mailer holds up to (\d+) connections to Postgres, a relay (\d+), "
        r"each worker of the API (\d+);",
        text,
    )
    assert told
    assert [int(each) for each in told.groups()] == [
        mailer.DATABASE_CONNECTIONS,
        relay.DATABASE_CONNECTIONS + LISTENER,
        api.DATABASE_CONNECTIONS,
    ]
