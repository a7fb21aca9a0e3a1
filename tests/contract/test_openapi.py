"""The document matches the code, and validators find no fault in it."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from services.api.contract.openapi import as_json, document
from services.api.openapi import problem_responses
from services.api.routes import ROUTES
from tests.contract.conftest import GOLDEN
from tests.servers import ROOT

REDOCLY = Path(__file__).parent / "openapi" / "node_modules" / ".bin" / "redocly"
RULES = Path(__file__).parent / "openapi" / "redocly.yaml"
DOCUMENT = document(ROUTES)
SCHEMAS = DOCUMENT["components"]["schemas"]
METHODS = {"get", "post", "put", "delete", "patch"}


def schema(wanted: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(
        {"components": {"schemas": SCHEMAS}, **wanted},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method.upper()} {path}", item[method]


def examples() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Every example of the document: its place, its value, and its schema."""

    def walk(place: str, value: Any) -> Iterator[tuple[str, Any, dict[str, Any]]]:
        if isinstance(value, list):
            for index, each in enumerate(value):
                yield from walk(f"{place}/{index}", each)
        if not isinstance(value, dict):
            return
        if isinstance(value.get("schema"), dict):
            if "example" in value:
                yield place, value["example"], value["schema"]
            for name, each in value.get("examples", {}).items():
                yield f"{place}/{name}", each["value"], value["schema"]
        for name, each in value.items():
            if name not in {"example", "examples"}:
                yield from walk(f"{place}/{name}", each)

    yield from walk("", DOCUMENT)


def test_of_paths_that_do_the_same_one_is_preferred() -> None:
    """Written by hand: a reader of the page must learn which one to use."""
    paths = DOCUMENT["paths"]
    same = {
        path: item["post"]
        for path, item in paths.items()
        if "post" in item and "client" in path and "/transactions/send" in path
    }
    assert len(same) == 3
    preferred = same.pop("/api/v3/clients/{id}/transactions/send")
    assert preferred["description"].startswith("The preferred path of this act")
    assert "x-alias-of" not in preferred
    assert not any(each.get("deprecated") for each in (preferred, *same.values()))
    for alias in same.values():
        assert alias["summary"].endswith(" (alias)")
        assert alias["x-alias-of"] == preferred["operationId"]
        assert "An alias of `sendTransactions`" in alias["description"]


def test_the_committed_document_is_current() -> None:
    committed = (ROOT / "docs" / "openapi.json").read_bytes()
    assert committed == as_json(ROUTES), "run make contract"


def test_tools_find_whom_to_ask_and_a_server_with_a_host() -> None:
    """A client that is made from a server "/" alone has no host to call."""
    assert DOCUMENT["info"]["contact"]["name"]
    assert any(urlsplit(server["url"]).hostname for server in DOCUMENT["servers"])
    rules = yaml.safe_load((ROOT / ".spectral.yaml").read_text("utf-8"))["rules"]
    assert rules == {"oas3-operation-security-defined": False}, "each rule but this one holds"


def test_the_specification_has_no_fault_to_find() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


async def test_redocly_has_neither_error_nor_warning(tmp_path: Path, node: str) -> None:
    (tmp_path / "openapi.json").write_bytes(as_json(ROUTES))
    process = await asyncio.create_subprocess_exec(
        *(node, REDOCLY, "lint", "--format=json", f"--config={RULES}", "openapi.json"),
        cwd=tmp_path,
        env={**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    found = json.loads(out)
    assert found["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}, out.decode()
    assert process.returncode == 0, err.decode()


def test_every_call_tells_what_it_does_and_what_it_may_be_refused_with() -> None:
    told = dict(operations())
    assert len(told) == sum(route.operation is not None for route in ROUTES)
    ids = [each["operationId"] for each in told.values()]
    assert len(set(ids)) == len(ids)
    for name, each in told.items():
        assert each["description"], name
        for parameter in each["parameters"]:
            part = parameter["$ref"].rpartition("/")[2]
            assert DOCUMENT["components"]["parameters"][part]["description"], part
        for needed in each["security"]:
            assert {"401", "503"} <= each["responses"].keys(), name
            assert ("403" in each["responses"]) == any(needed.values()), name


def test_every_parameter_of_a_path_is_described() -> None:
    parameters = DOCUMENT["components"]["parameters"]
    for name, each in operations():
        described = {
            parameters[parameter["$ref"].rpartition("/")[2]]["name"]
            for parameter in each["parameters"]
            if parameters[parameter["$ref"].rpartition("/")[2]]["in"] == "path"
        }
        assert described == {
            part[1:-1] for part in name.partition(" ")[2].split("/") if part.startswith("{")
        }, name


@pytest.mark.parametrize(("place", "example", "wanted"), list(examples()), ids=lambda each: "")
def test_every_example_is_valid(place: str, example: Any, wanted: dict[str, Any]) -> None:
    schema(wanted).validate(example)


def test_every_body_and_every_json_answer_has_an_example() -> None:
    for name, each in operations():
        contents = [each.get("requestBody", {}).get("content", {})]
        contents += [answer.get("content", {}) for answer in each["responses"].values()]
        for content in contents:
            told = content.get("application/json", {"schema": {}})
            assert "examples" in told or told["schema"] in ({}, {"type": "object"}), name


def test_a_problem_is_described_for_each_status_of_a_refusal() -> None:
    for name, response in problem_responses.responses().items():
        (content,) = response["content"].values()
        assert content["example"]["status"] >= 400, name


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_the_golden_rows_are_what_the_document_tells(golden: Path) -> None:
    row = schema({"$ref": "#/components/schemas/Row"})
    fields = list(SCHEMAS["Row"]["properties"])
    assert sorted(SCHEMAS["Row"]["required"]) == sorted(fields)
    for each in json.loads(golden.read_text("utf-8")):
        row.validate(each)
        assert list(each) == fields
