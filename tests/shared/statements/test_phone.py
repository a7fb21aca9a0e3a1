"""On a phone no figure is broken and nothing is wider than the screen, as a browser lays it out."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shared.statements.render import Renderer
from tests.servers import absent
from tests.shared.statements.branded import branded, logo
from tests.shared.statements.snapshots import frozen, many, row, snapshot

# Says of the mails in frames which figures are broken, which cells lie over others, how wide it is.
_MEASURE = r"""
const figure = /\u2212?\d[\d,.]*\d/g;
const told = [...document.querySelectorAll("iframe")].map((frame) => {
  const page = frame.contentDocument;
  const broken = [];
  const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    for (const found of walker.currentNode.data.matchAll(figure)) {
      const range = page.createRange();
      range.setStart(walker.currentNode, found.index);
      range.setEnd(walker.currentNode, found.index + found[0].length);
      const tops = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (tops.size > 1) broken.push(found[0]);
    }
  }
  const over = [];
  const extent = (cell) => {
    const range = page.createRange();
    range.selectNodeContents(cell);
    return range.getBoundingClientRect();
  };
  for (const row of page.querySelectorAll("tr")) {
    const cells = [...row.children].filter((cell) => cell.innerText.trim());
    for (const [place, one] of cells.entries()) {
      for (const other of cells.slice(place + 1)) {
        const [a, b] = [extent(one), extent(other)];
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (across > 1 && down > 1) over.push(one.innerText + " | " + other.innerText);
      }
    }
  }
  const wide = page.documentElement.scrollWidth;
  return { broken, over, wide, shown: page.body.innerText.length };
});
document.body.textContent = "MEASURED" + JSON.stringify(told) + "MEASURED";
"""


def measured(folder: Path, mails: list[str], width: int) -> list[dict[str, Any]]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if program is None:
        absent("chromium is not installed")
    frames = "".join(
        f'<iframe style="border:0" width="{width}" srcdoc="{html.escape(mail)}"></iframe>'
        for mail in mails
    )
    page = folder / "page.html"
    page.write_text(
        f"<!doctype html><meta charset=utf-8><body>{frames}"
        f"<script>onload = () => {{{_MEASURE}}}</script>"
    )
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000")
    dom = subprocess.run(
        [program, *options, f"--user-data-dir={folder}/profile", "--dump-dom", page.as_uri()],
        capture_output=True,
        check=True,
        timeout=120,
        text=True,
    ).stdout
    found = re.search("MEASURED(.*)MEASURED", html.unescape(dom))
    assert found, dom[-500:]
    told: list[dict[str, Any]] = json.loads(found[1])
    return told


@pytest.mark.parametrize("width", [320, 360])
def test_no_figure_is_broken(renderer: Renderer, tmp_path: Path, width: int) -> None:
    amounts = ["12.5", "123456789.00", "1234567890.00", "123456789012.1234", "9" * 18 + ".9999"]
    mails = []
    for amount in amounts:
        rows = [
            row("2024-11-01", "invoice", "INV-2024-0117", amount, due="2024-11-15"),
            row("2024-11-02", "credit_note", "x" * 40, amount, reference="y" * 60),
            row("2024-11-03", "credit_note", "CN-1", amount),
        ]
        totals = dict.fromkeys(("amount_due", "total_paid", "owing", "balance"), 0)
        report = snapshot()["report"] | dict.fromkeys(totals, rows[0]["charge"])
        mails.append(renderer.render(frozen(snapshot(rows, report=report))).html)
    for amount, told in zip(amounts, measured(tmp_path, mails, width), strict=True):
        assert told["shown"] > 500
        assert told["broken"] == told["over"] == [], amount
        assert told["wide"] <= width, amount


@pytest.mark.parametrize("width", [320, 600])
def test_no_language_and_no_name_makes_a_page_wider_than_its_screen(
    renderer: Renderer, tmp_path: Path, width: int
) -> None:
    names = ("business__name", "customer__business_name")
    contents = [
        *(branded(locale=locale) for locale in ("en", "fr", "de", "ar", "ar-EG")),
        branded(many(60), items=60, locale="ar"),
        branded(
            **dict.fromkeys(names, "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk" * 3)
        ),
        branded([], kind="open-items", **dict.fromkeys(names, "متجر الأمل للأقمشة " * 9)),
    ]
    url = f"https://pay.example/{'x' * 300}"
    mails = [renderer.render(frozen(each), url, logo=logo()).html for each in contents]
    for told in measured(tmp_path, mails, width):
        assert told["shown"] > 500
        assert told["broken"] == told["over"] == []
        assert told["wide"] <= width
