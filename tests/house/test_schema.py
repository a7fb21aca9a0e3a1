"""shared/db/schema.sql shows the database that the migrations make."""

import re

from provision import schema

# Later versions of Postgres leave the name of a table out in front of a view's columns.
QUALIFIER = re.compile(r"\b[a-z_]+\.(?=[a-z\"])")


async def test_the_schema_is_up_to_date(database: str) -> None:
    written = (schema.ROOT / "shared/db/schema.sql").read_text("utf-8")
    assert plain(written) == plain(await schema.text(database)), "run make contract"


def plain(text: str) -> str:
    return QUALIFIER.sub("", text)
