import json
from pathlib import Path

import pytest

import services.api
from tests.services.api.api_client import Api

FOLDER = Path(services.api.__file__).parent / "contract" / "page"


async def test_the_document_is_served_to_everybody_and_asked_for_again_by_its_tag(
    reader: Api,
) -> None:
    answer = await reader.get("/openapi.json", key=None)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json["openapi"] == "3.1.0"
    again = await reader.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.text) == (304, "")
    assert again.headers["ETag"] == answer.headers["ETag"]


async def test_the_page_may_run_its_own_files_alone(reader: Api) -> None:
    answer = await reader.get("/docs", key=None)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("name", "media"),
    [
        ("start.js", "javascript"),
        ("swagger-ui-bundle.js", "javascript"),
        ("swagger-ui.css", "text/css"),
        ("favicon-32x32.png", "image/png"),
    ],
)
async def test_the_files_of_the_page(reader: Api, name: str, media: str) -> None:
    async with reader.session.get(f"http://127.0.0.1:{reader.port}/docs/{name}") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].partition(";")[0].endswith(media)
        (path,) = FOLDER.rglob(name)
        assert await answer.read() == path.read_bytes()
    again = await reader.get(f"/docs/{name}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304


@pytest.mark.parametrize("name", ["index.html", "handlers.py", "..%2fapp.py", "LICENSE"])
async def test_no_other_file_is_served(reader: Api, name: str) -> None:
    answer = await reader.get(f"/docs/{name}", key=None)
    assert answer.status == 404
    assert json.loads(answer.text)["type"] == "/problems/not-found"
