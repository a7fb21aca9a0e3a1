"""Mails by Celery and smtplib as their documentation shows: a task for each, acknowledged late."""

import json
import os
import smtplib
import sys
from email.message import EmailMessage
from pathlib import Path

from celery import Celery

app = Celery("celery_peer", broker=os.environ["AMQP_URL"])
app.conf.task_acks_late = True
app.conf.task_ignore_result = True
app.conf.task_default_queue = "bench.celery"
MAIL = json.loads(Path(os.environ["PEER_MAIL"]).read_text())


@app.task
def send_mail(recipient):
    msg = EmailMessage()
    msg["Subject"] = MAIL["subject"]
    msg["From"] = "post@ledgerpost.example"
    msg["To"] = recipient
    msg.set_content(MAIL["text"])
    msg.add_alternative(MAIL["html"], subtype="html")
    with smtplib.SMTP("127.0.0.1", int(os.environ["SMTP_PORT"])) as server:
        server.send_message(msg)


if __name__ == "__main__":
    for number in range(int(sys.argv[1])):
        send_mail.delay(f"billing@customer{number}.example")
