"""A client with the axios examples of an API manual works unchanged."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

from tests.contract.conftest import GOLDEN, Api

FOLDER = Path(__file__).parent / "axios"


async def test_the_snippets_of_an_api_manual_work_unchanged(api: Api, node: str) -> None:
    process = await asyncio.create_subprocess_exec(
        node, "snippets.mjs", api.url, api.key, cwd=FOLDER, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    answers = json.loads(output, parse_float=Decimal)
    golden = json.loads(
        (GOLDEN / "business-1.2024-11-01.2024-11-30.json").read_text("utf-8"), parse_float=Decimal
    )
    row = next(row for row in golden if row["id"] == 4)

    assert answers["list"] == {"status": 200, "data": golden}
    assert answers["one"] == {"status": 200, "data": row}
    assert answers["filter"] == {"status": 200, "data": [row]}

    by_json = answers["sendJson"]
    assert (by_json["status"], by_json["data"]["message"]) == (202, "Transactions sent")
    assert _emails(by_json) == ["esi@customers.example.com", "json@x.example"]

    by_form = answers["sendForm"]
    assert (by_form["status"], by_form["data"]["message"]) == (202, "Transactions sent")
    assert by_form["data"]["personal_message"] == "Hello\nagain"
    assert sorted(_emails(by_form)) == [
        "form@x.example",
        "owner@kente.example.com",
        "part@customers.example.com",
    ]

    later = answers["sendUrlencoded"]
    assert (later["status"], later["data"]["message"]) == (202, "Transactions scheduled")
    assert later["data"]["send_at"].startswith("2030-01-31T00:00:00")
    assert _emails(later) == ["part@customers.example.com", "a@x.example", "b@x.example"]

    assert answers["wrongDate"]["status"] == 422
    assert answers["wrongDate"]["data"]["errors"][0]["field"] == "from"
    assert answers["noKey"]["status"] == 401


def _emails(answer: dict[str, object]) -> list[str]:
    data = answer["data"]
    assert isinstance(data, dict)
    return [recipient["email"] for recipient in data["recipients"]]
