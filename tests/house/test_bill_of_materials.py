"""What we install is listed: in docs/dependencies.md, in docs/sbom.json and on the image."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SBOM: dict[str, Any] = json.loads((ROOT / "docs" / "sbom.json").read_text("utf-8"))
TABLE = (ROOT / "docs" / "dependencies.md").read_text("utf-8").partition("## What each library")[2]
LISTED = dict(
    re.findall(r"^\| ([a-z][\w-]*) \| ([^|]+) \| [^|]+ \| [^|]+ \|$", TABLE, re.MULTILINE)
)
# A licence that a library names by a classifier only.
CLASSIFIERS = {
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def licences(component: dict[str, Any]) -> set[str]:
    """The licences of a component; several if it declares them in several places."""
    found = set[str]()
    for each in component["licenses"]:
        text = each.get("expression") or each["license"].get("id") or each["license"]["name"]
        found.add(CLASSIFIERS.get(text, text))
    return found


def test_the_docs_list_the_libraries_that_we_declare() -> None:
    declared = {normal(re.split(r"[<>=\[;]", each)[0]) for each in PROJECT["dependencies"]}
    assert {name for name in LISTED if name != "library"} == declared


def test_the_bill_has_what_is_pinned() -> None:
    pins = re.findall(
        r"^([a-z][\w.-]*)==(\S+)",
        (ROOT / "requirements/runtime.txt").read_text("utf-8"),
        re.MULTILINE,
    )
    billed = {(normal(each["name"]), each["version"]) for each in SBOM["components"]}
    assert billed == {(normal(name), version) for name, version in pins}, "run make sbom"
    assert SBOM["metadata"]["component"]["version"] == PROJECT["version"], "run make sbom"


def test_each_licence_is_the_declared_one() -> None:
    declared = {normal(each["name"]): licences(each) for each in SBOM["components"]}
    assert all(declared.values())
    wrong = {
        name: declared[name]
        for name, licence in LISTED.items()
        if name != "library" and licence not in declared[name]
    }
    assert wrong == {}


def test_the_bill_names_no_host_and_no_folder() -> None:
    text = json.dumps({name: each for name, each in SBOM.items() if name != "$schema"})
    assert "://" not in text
    assert str(ROOT) not in text


def test_the_image_says_what_it_is() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    labels = set(re.findall(r"org\.opencontainers\.image\.(\w+)=", dockerfile))
    assert {"title", "version", "revision", "source", "licenses"} <= labels
    assert re.findall(r"^ARG VERSION=(.*)$", dockerfile, re.MULTILINE) == [PROJECT["version"]]
    assert f'licenses="{PROJECT["license"]}"' in dockerfile
