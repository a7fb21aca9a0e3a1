"""Pin the dependencies of pyproject.toml: `python -m provision.lock`."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

_PIP_TOOLS = "pip-tools>=7.5"

# Every index has the same hashes, so pins contain no URL.
_OPTIONS = (
    *("--quiet", "--upgrade", "--generate-hashes", "--allow-unsafe", "--strip-extras"),
    *("--no-header", "--no-annotate"),
    *("--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links"),
)


def lock(root: Path) -> None:
    """Rewrite requirements/*.txt with the newest versions that pyproject.toml allows."""
    extras: dict[str, list[str]] = {
        "runtime": [],
        "dev": ["--extra=dev", "--build-deps-for=editable"],
    }
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = f"{folder}/bin/python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", _PIP_TOOLS], check=True)
        for name, extra in extras.items():
            target = f"--output-file=requirements/{name}.txt"
            compile_ = [python, "-m", "piptools", "compile", *_OPTIONS, *extra, target]
            subprocess.run([*compile_, "pyproject.toml"], check=True, cwd=root, env=_environ())


def _environ() -> dict[str, str]:
    """Return the environment without this machine's package indexes."""
    own = {"PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in own}
    return {**kept, "PIP_CONFIG_FILE": os.devnull}


if __name__ == "__main__":
    lock(Path.cwd())
