"""Writes the bill of materials of what the image installs: `python -m provision.sbom FILE`."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_CYCLONEDX = "cyclonedx-bom==7.5.0"
# Links of each library: they lead to registries and pages of their authors, and say nothing of us.
_LEFT_OUT = "externalReferences"


def write(root: Path, target: Path) -> None:
    """Write a CycloneDX document of the pinned runtime requirements to `target`.

    It is made of an environment with exactly these, so that licences and dependencies are those
    that each library declares. The same pins give the same bytes.
    """
    with tempfile.TemporaryDirectory() as folder:
        runtime, tool = Path(folder) / "runtime", Path(folder) / "tool"
        _run(sys.executable, "-m", "venv", "--without-pip", runtime)
        _install(runtime, "--require-hashes", "-r", root / "requirements" / "runtime.txt")
        _run(sys.executable, "-m", "venv", "--without-pip", tool)
        _install(tool, _CYCLONEDX)
        made = Path(folder) / "sbom.json"
        _run(
            tool / "bin" / "cyclonedx-py", "environment", "--output-reproducible", "--of", "JSON",
            "--pyproject", root / "pyproject.toml", "-o", made, runtime / "bin" / "python",
        )  # fmt: skip
        document = _without(json.loads(made.read_text("utf-8")))
    target.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without(each) for name, each in value.items() if name != _LEFT_OUT}
    return [_without(each) for each in value] if isinstance(value, list) else value


def _install(environment: Path, *what: str | Path) -> None:
    python = environment / "bin" / "python"
    _run(sys.executable, "-m", "pip", "--quiet", "--python", python, "install", *what)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    write(Path.cwd(), Path(sys.argv[1]))
