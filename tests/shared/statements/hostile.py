"""Texts of an attacker."""

from typing import Any

from hypothesis import strategies as st

PAYLOADS = (
    "a\r\nBcc: victim@x.example\r\n\r\n<b>body</b>",
    "a\nX-Evil: 1",
    "a\0b",
    "%0d%0aX-Evil: 1",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!-- comment --> <![CDATA[x]]> </p></td></table></body>",
    "&lt;b&gt; &amp; &#x3c;",
    "{{7*7}} {% for x in y %} <!--% if x %-->",
    '#import "@preview/x:1.0.0": * #read("/etc/passwd") #eval("1+1")',
    "$x^2$ _a_ *b* `c` = heading @ref <label> //comment /* */",
    "\\ \\u{41} \\n \\",
    '=HYPERLINK("http://evil.example","x")',
    "+1 -1 @SUM(1)",
    "\u202egnp.exe\u202c \u2066x\u2069 \u200f",
    "zero\u200bwidth\u200djoin\ufeff",
    "👩‍👩‍👧‍👦 emoji",
    "a" + "\u0301" * 10_000,
    "=?utf-8?q?=0D=0ABcc:_v=40x.example?= =?utf-8?b?PGI+?=",
    "x" * 3_000,
    "word " * 2_000,
    '"quoted\\" name" <v@x.example>, w@x.example;',
    "; filename=evil.exe; ../../etc/passwd",
)

#: Any text that Postgres can hold, and each payload above at least now and then.
texts = st.one_of(
    st.sampled_from(PAYLOADS).map(lambda text: text.replace("\0", "")),
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=60),
)

_PARTIES = {
    "business": ("name", "email", "phone", "address"),
    "customer": (
        "first_name",
        "last_name",
        "business_name",
        "business_address",
        "business_phone",
        "business_location",
        "business_email",
        "phone_number",
    ),
}
_BRANDING = ("sender_name", "reply_to", "how_to_pay")


def fill(content: dict[str, Any], text: str) -> dict[str, Any]:
    """Put a text into every column of text that a statement shows, but for the link."""
    for party, columns in _PARTIES.items():
        content[party] |= dict.fromkeys(columns, text)
    content.setdefault("branding", {}).update(dict.fromkeys(_BRANDING, text))
    for item in content.get("open_items") or ():
        item["number"] = text
    for row in content["transactions"]:
        row |= {"number": text, "reference": text}
        if row["method"] is not None:
            row["method"] = text
    return content
