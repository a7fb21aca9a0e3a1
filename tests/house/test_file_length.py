"""A file is one thing that is read at one sitting."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE, TESTS = 255, 350
FOLDERS = {
    "services": CODE, "shared": CODE, "provision": CODE, "demo": CODE, "bench": CODE, "tests": TESTS
}  # fmt: skip
MADE_BY_PROGRAM = {"shared/db/schema.sql"}
# What is changed while others write has to be one transaction, and so one file.
IN_ONE_TRANSACTION = {"shared/db/migrations/0026_kept_receipts.sql"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_file_is_too_long(folder: str) -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines())
        for pattern in ("*.py", "*.sql")
        for path in (ROOT / folder).rglob(pattern)
        if "node_modules" not in path.parts
    }
    assert lengths
    long = {name: count for name, count in lengths.items() if count > FOLDERS[folder]}
    assert long.keys() - MADE_BY_PROGRAM - IN_ONE_TRANSACTION == set(), long
