import pytest

from shared.text import cut, escaped, lines, one_line, printable_line, visible


def test_the_lines_of_a_message_are_kept() -> None:
    assert lines("\n a\r\n\r\nb\rc\u2028d\x00e\n\n") == [" a", "", "b", "c", "d e"]
    assert lines("a\tb\n\tc") == ["a       b", "        c"]
    assert lines("") == lines(" \n\t\r\n") == []


HOSTILE = "A\r\nBcc: b@c\0\x1b\u2028d\x85e \ud800 \u202ef"


def test_in_a_mail_a_line_keeps_every_script() -> None:
    assert one_line(HOSTILE) == "A Bcc: b@c d e f"
    assert one_line("\u0645\u06cc\u200c\u062e \U0001f469\u200d\U0001f33e") == (
        "\u0645\u06cc\u200c\u062e \U0001f469\u200d\U0001f33e"
    )


def test_in_a_list_a_line_has_only_what_can_be_seen() -> None:
    assert printable_line(HOSTILE, 100) == "A Bcc: b@c d e f"
    assert printable_line("a\u200bb\u00adc", 100) == "a b c"
    assert printable_line("x" * 500, 10) == "x" * 10
    assert printable_line(" " * 1000 + "x", 10) == ""


def test_at_a_terminal_nothing_is_lost() -> None:
    assert escaped(HOSTILE) == (r"A\r\nBcc: b@c\x00\x1b\u2028d\x85e \ud800 \u202ef")
    assert escaped("a\n\tb\x1b", kept="\n\t") == "a\n\tb\\x1b"


@pytest.mark.parametrize(
    ("text", "shown"), [("12345", "12345"), ("123456", "1234…"), ("123 56", "123…"), ("", "")]
)
def test_a_text_that_was_cut_ends_in_an_ellipsis(text: str, shown: str) -> None:
    assert cut(text, 5) == shown


@pytest.mark.parametrize("text", ["", " ", "\x01", "\u200b", "\u3164\u2060", "\u2800"])
def test_what_has_no_shape_is_no_text(text: str) -> None:
    assert visible(text) == ""


@pytest.mark.parametrize("text", ["a", "\u200ba", "-", "\u0e40", "🎉", "\u0301"])
def test_what_has_a_shape_stays_as_it_is(text: str) -> None:
    assert visible(text) == text
