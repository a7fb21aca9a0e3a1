"""A client that standard tools make from the document compiles strictly, and works."""

import asyncio
import json
import shutil
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from services.api.contract.openapi import as_json
from services.api.routes import ROUTES
from tests.contract.conftest import Api

FOLDER = Path(__file__).parent / "openapi"
GENERATE, COMPILE = "node_modules/.bin/openapi-typescript", "node_modules/.bin/tsc"


async def _run(*command: str | Path, cwd: Path) -> str:
    process = await asyncio.create_subprocess_exec(*command, cwd=cwd, stdout=PIPE, stderr=STDOUT)
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_list_send_state(api: Api, node: str, tmp_path: Path) -> None:
    for name in ("package.json", "tsconfig.json", "journey.ts"):
        shutil.copy(FOLDER / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    (tmp_path / "openapi.json").write_bytes(as_json(ROUTES))
    await _run(node, GENERATE, "openapi.json", "-o", "ledgerpost.d.ts", cwd=tmp_path)
    await _run(node, COMPILE, cwd=tmp_path)
    said = json.loads(await _run(node, "journey.js", api.url, api.key, cwd=tmp_path))

    assert said["customers"] == [1, 2, 3, 5, 6, 4, 7]
    assert said["accepted"] == {"status": 202, "message": "Transactions scheduled"}
    send = said["state"]["id"]
    assert said["location"] == f"/api/v3/sends/{send}"
    assert said["state"] == {
        "id": send,
        "status": "scheduled",
        "recipients": [
            {"email": "part@customers.example.com", "state": "scheduled"},
            {"email": "accounts@client.example", "state": "scheduled"},
        ],
    }
    assert said["history"] == [send]
    assert said["refused"] == {"status": 422, "fields": ["other_emails"]}


async def test_the_compiler_finds_a_value_of_a_wrong_type(node: str, tmp_path: Path) -> None:
    for name in ("package.json", "tsconfig.json"):
        shutil.copy(FOLDER / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    wrong = (
        (FOLDER / "journey.ts").read_text("utf-8").replace('message: "Thank you!"', "message: 4", 1)
    )
    (tmp_path / "journey.ts").write_text(wrong, "utf-8")
    (tmp_path / "openapi.json").write_bytes(as_json(ROUTES))
    await _run(node, GENERATE, "openapi.json", "-o", "ledgerpost.d.ts", cwd=tmp_path)
    process = await asyncio.create_subprocess_exec(node, COMPILE, cwd=tmp_path, stdout=PIPE)
    output, _ = await process.communicate()
    assert process.returncode != 0
    assert "Type 'number' is not assignable to type 'string'" in output.decode()
