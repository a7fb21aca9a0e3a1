import pytest

from services.mailer.smtp.replies import (
    LINE_OCTETS_MAX,
    LINES_MAX,
    MalformedReply,
    Reply,
    ReplyReader,
)


def read(*chunks: bytes) -> list[Reply]:
    reader = ReplyReader()
    return [reply for chunk in chunks for reply in reader.feed(chunk)]


def test_a_reply_is_read_however_it_is_cut() -> None:
    raw = b"250-2.0.0 first\r\n250-2.0.0 second\r\n250 2.0.0 third\r\n354 go\r\n"
    whole = read(raw)
    assert whole == [Reply(250, "2.0.0", "first second third"), Reply(354, "", "go")]
    assert read(*(raw[n : n + 1] for n in range(len(raw)))) == whole


@pytest.mark.parametrize(
    ("raw", "reply"),
    [
        (b"250\r\n", Reply(250, "", "")),
        (b"250 \n", Reply(250, "", "")),
        (b"550 5.1.1\r\n", Reply(550, "5.1.1", "")),
        (b"550 5.1.10 null MX\r\n", Reply(550, "5.1.10", "null MX")),
        (b"550 5.1.1234 x\r\n", Reply(550, "", "5.1.1234 x")),
        (b"550 version 5.1.1 of it\r\n", Reply(550, "", "version 5.1.1 of it")),
        (b"250OK\r\n", Reply(250, "", "OK")),
        (b"550 caf\xc3\xa9 \xff\x1b[31m\x00\tx\r\n", Reply(550, "", "café � [31m x")),
        ("550 \u202egnp\u2028x\r\n".encode(), Reply(550, "", "gnp x")),
    ],
)
def test_one_line(raw: bytes, reply: Reply) -> None:
    assert read(raw) == [reply]


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n",
        b"hello\r\n",
        b"25\r\n",
        b"2500 x\r\n",
        b"100 x\r\n",
        b"600 x\r\n",
        b"-250 x\r\n",
        b"250-a\r\n550 b\r\n",
        b"250-a\r\nnonsense\r\n",
        "\uff12\uff15\uff10 x\r\n".encode(),
        b"x" * (LINE_OCTETS_MAX + 1),
        b"250 " + b"x" * LINE_OCTETS_MAX + b"\r\n",
        b"250-x\r\n" * (LINES_MAX + 1),
    ],
)
def test_what_is_no_reply_is_garbage(raw: bytes) -> None:
    with pytest.raises(MalformedReply):
        read(raw)


def test_words_are_one_printable_line_of_bounded_length() -> None:
    reply = read(b"550-5.1.1 " + b"word " * 200 + b"\r\n550 5.1.1 end\r\n")[0]
    assert len(str(reply)) == 500
    assert str(reply).startswith("550 5.1.1 word word")
