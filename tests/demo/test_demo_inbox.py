import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from provision.ports import free_ports

ROOT = Path(__file__).parents[2]


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[int]:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "demo.inbox", str(tmp_path / "inbox"), str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        assert b"keeps mail in" in server.stdout.readline()
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0
        server.communicate()


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"] = "from@example.com"
    message["To"] = "ama@example.com"
    message["Subject"] = "Ɛsi"
    message.set_content("plain Ɔ\n.\nafter the dot\n")
    message.add_alternative("<p>rich</p>", subtype="html")
    message.add_attachment(
        b"%PDF-1.7", maintype="application", subtype="pdf", filename="../a statement.pdf"
    )
    return message


def test_each_recipient_has_a_folder_with_the_mail_taken_apart(inbox: int, tmp_path: Path) -> None:
    with smtplib.SMTP("127.0.0.1", inbox, timeout=20) as client:
        client.send_message(letter(), to_addrs=["ama@example.com", "../kofi@example.com"])
        client.send_message(letter(), to_addrs=["ama@example.com"])
    folders = sorted(path.name for path in (tmp_path / "inbox").iterdir())
    assert folders == ["0001-ama@example.com", "0002-_kofi@example.com", "0003-ama@example.com"]
    first = tmp_path / "inbox" / folders[0]
    assert (first / "body.txt").read_text() == "plain Ɔ\n.\nafter the dot\n"
    assert (first / "body.html").read_text() == "<p>rich</p>\n"
    assert (first / "_a_statement.pdf").read_bytes() == b"%PDF-1.7"
    assert b"Subject:" in (first / "message.eml").read_bytes()


def test_a_client_that_leaves_before_the_dot_leaves_nothing(inbox: int, tmp_path: Path) -> None:
    with socket.create_connection(("127.0.0.1", inbox), timeout=20) as client:
        replies = client.makefile("rb")
        replies.readline()
        for line in (b"HELO a", b"MAIL FROM:<a@example.com>", b"RCPT TO:<b@example.com>", b"DATA"):
            client.sendall(line + b"\r\n")
            replies.readline()
        client.sendall(b"Subject: half\r\n\r\nbody\r\n")
    with smtplib.SMTP("127.0.0.1", inbox, timeout=20) as client:
        client.send_message(letter())
    assert [path.name for path in (tmp_path / "inbox").iterdir()] == ["0001-ama@example.com"]


def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    (tmp_path / "0041-someone@example.com").mkdir()
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "demo.inbox", str(tmp_path), str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        _deliver(port)
    finally:
        server.terminate()
        server.wait(20)
    assert (tmp_path / "0042-ama@example.com" / "message.eml").exists()


def _deliver(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
                client.send_message(letter())
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
