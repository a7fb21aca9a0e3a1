"""The parts of a mail: text and HTML, the logo, and attached files with their names."""

import pytest

from shared.mail.parts import File
from tests.shared.mail.messages import DELIVERY, PDF, message_of, read

LOGO = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9


def test_without_a_pdf_there_is_text_and_html_alone() -> None:
    message = read(message_of(pdf=None).envelope("a@b.org", DELIVERY))
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert list(message.iter_attachments()) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("statement.pdf", "statement.pdf"),
        ("Auszug Müller.pdf", "Auszug Müller.pdf"),
        ("../../etc/passwd.pdf", "..-..-etc-passwd.pdf"),
        ('a"b;c.pdf', "a'b;c.pdf"),
        ("x" * 200 + ".pdf", "x" * 80 + ".pdf"),
        ("كشف 布.csv", "كشف 布.csv"),
    ],
)
def test_file_names_come_back_and_name_no_folder(name: str, shown: str) -> None:
    (attachment,) = read(message_of(pdf_name=name).envelope("a@b.org", DELIVERY)).iter_attachments()
    assert attachment.get_filename() == shown


def test_a_name_that_is_not_ascii_stands_in_ascii_in_the_type() -> None:
    mail = message_of(pdf_name="Größe-布-2024.pdf").envelope("a@b.org", DELIVERY)
    (attachment,) = read(mail).iter_attachments()
    assert attachment["Content-Type"].params["name"] == "Groe-2024.pdf"
    assert b"filename*=utf-8''Gr%C3%B6%C3%9Fe-%E5%B8%83-2024.pdf\r\n" in mail.data
    assert mail.data.count(b"filename") == 1


def test_a_logo_belongs_to_the_html_and_files_to_the_mail() -> None:
    files = [File("application/pdf", "a.pdf", PDF), File("text/csv; charset=utf-8", "a.csv", b"x")]
    message = read(message_of(logo=LOGO, files=files).envelope("a@b.org", DELIVERY))
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "application/pdf",
        "text/csv",
    ]
    (picture,) = (part for part in message.walk() if part.get_content_type() == "image/png")
    assert (picture["Content-ID"], picture.get_content()) == ("<logo>", LOGO)
    assert picture.get_content_disposition() == "inline"
    assert [part.get_filename() for part in message.iter_attachments()] == ["a.pdf", "a.csv"]
    page = message.get_body(("html",))
    assert page is not None
    assert page.get_content_type() == "text/html"
