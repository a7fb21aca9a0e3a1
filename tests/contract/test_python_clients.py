"""Python clients that stock generators make from the document type-check, and work."""

import asyncio
import json
import os
import shutil
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Any

from services.api.contract.openapi import as_json
from services.api.routes import ROUTES
from tests.contract.conftest import Api
from tests.services.api.branding.pictures import png

FOLDER = Path(__file__).parent / "python"
BIN = Path(sys.executable).parent
# openapi-python-client knows neither pictures nor mails by itself.
FILES = """\
content_type_overrides:
  message/rfc822: application/octet-stream
  image/png: application/octet-stream
  image/jpeg: application/octet-stream
"""
SAID = {
    "rows": 7,
    "status": 202,
    "state": ["scheduled", "Thank you!", "2099-01-31T09:00:00+00:00"],
    "recipients": [
        "accounts@client.example",
        "esi@customers.example.com",
        "owner@kente.example.com",
    ],
    "refused": ["other_emails"],
}


async def _run(*command: str | Path, cwd: Path) -> str:
    environ = {"PATH": os.environ["PATH"], "HOME": str(cwd), "PYTHONPATH": str(cwd)}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env=environ, stdout=PIPE, stderr=STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def _journey(name: str, api: Api, cwd: Path) -> Any:
    shutil.copy(FOLDER / name, cwd / "journey.py")
    said = await _run(sys.executable, "journey.py", api.url, api.key, cwd=cwd)
    return json.loads(said)


async def test_openapi_python_client(api: Api, tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_bytes(as_json(ROUTES))
    (tmp_path / "config.yml").write_text(f"post_hooks: []\n{FILES}", "utf-8")
    (tmp_path / "logo.png").write_bytes(png((300, 100)))
    said = await _run(
        *(BIN / "openapi-python-client", "generate", "--path", "openapi.json", "--meta", "none"),
        *("--output-path", "ledgerpost_client", "--config", "config.yml", "--fail-on-warning"),
        cwd=tmp_path,
    )
    assert "warning" not in said.lower()
    form = ["By form", ["esi@customers.example.com", "form@client.example"]]
    journey = await _journey("openapi_python_client.py", api, tmp_path)
    assert journey == SAID | {"form": form, "logo": [308, 108, "#0b5c4d", True]}
    checked = ("--cache-dir", os.devnull, "--strict", "-p", "ledgerpost_client")
    await _run(sys.executable, "-m", "mypy", *checked, cwd=tmp_path)
    await _run(sys.executable, "-m", "mypy", *checked[:-2], "journey.py", cwd=tmp_path)


async def test_openapi_generator(api: Api, tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_bytes(as_json(ROUTES))
    await _run(
        *(BIN / "openapi-generator-cli", "generate", "-i", "openapi.json", "-g", "python"),
        *("-o", ".", "--package-name", "ledgerpost_client"),
        *("--global-property", "apis,models,supportingFiles,apiDocs=false,modelDocs=false"),
        cwd=tmp_path,
    )
    assert await _journey("openapi_generator.py", api, tmp_path) == SAID
