"""The page at /docs works with its content policy, in an offline browser."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from services.api.contract.openapi import document
from services.api.routes import ROUTES
from tests.contract.conftest import GOLDEN, Api
from tests.servers import ROOT, absent

FOLDER = Path(__file__).parent / "openapi"
VENDORED = ROOT / "services" / "api" / "contract" / "page" / "swagger-ui"


@pytest.fixture
def chromium() -> str:
    found = filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    program = next(found, None)
    if program is None:
        absent("chromium is not installed")
    return program


async def test_a_key_and_a_click_show_the_report(api: Api, node: str, chromium: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(node, "docs.mjs", api.url, api.key, chromium), cwd=FOLDER, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    said = json.loads(output)
    assert said["shown"] == sum(len(each) for each in document(ROUTES)["paths"].values())
    assert said["status"] == "200"
    golden = json.loads((GOLDEN / "business-1.2024-11-01.2024-11-30.json").read_text("utf-8"))
    assert json.loads(said["body"]) == golden
    assert said["violations"] == []
    assert said["complaints"] == []
    assert {each for each in said["asked"] if not each.startswith((api.url, "data:"))} == set()


def test_the_files_of_others_are_as_they_were_published(node: str) -> None:
    published = FOLDER / "node_modules" / "swagger-ui-dist"
    names = sorted(path.name for path in VENDORED.iterdir())
    assert {"LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"} < set(names)
    for name in names:
        assert (VENDORED / name).read_bytes() == (published / name).read_bytes(), name
