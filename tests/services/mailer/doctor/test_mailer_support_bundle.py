"""The support bundle of the mailer: no secret of its settings, and no reply of the SMTP server."""

import json
from pathlib import Path
from urllib.parse import urlsplit

from tests.bundle_canaries import CANARIES, files, fill, found
from tests.commands import ended
from tests.judge.script import Say
from tests.judge.server import Judge
from tests.roles import acting
from tests.shared.mail.signed import key


async def test_nothing_of_a_customer_and_no_secret_is_in_it(
    database: str, broker: str, judge: Judge, tmp_path: Path
) -> None:
    await fill(database)
    judge.users = {"canary-user": "canary-password"}
    judge.on("auth", Say("535 5.7.8 canary-password of canary@customer.example is wrong"))
    signing, url = key("2026r"), acting(database, "mailer")
    out = tmp_path / "support.tar.gz"
    settings = {
        "DATABASE_URL": url,
        "AMQP_URL": broker,
        "SMTP_URL": f"smtp://canary-user:canary-password@127.0.0.1:{judge.port}",
        "MAIL_FROM": "canary sender <canary@mail.example>",
        "MAIL_REDIRECT_TO": "canary@redirect.example",
        "RETURN_SECRET": "canary-return-" + "r" * 20,
        "DKIM_KEYS": signing.text,
    }
    done = await ended("services.mailer", "support-bundle", "--out", str(out), settings=settings)
    assert (done.status, done.out, done.err) == (0, f"{out}\n", "")
    secrets = [line for line in signing.text.splitlines() if len(line) > 40]
    secrets += [settings["RETURN_SECRET"], "canary-password", "canary-user"]
    secrets += ["canary@mail.example", "canary@redirect.example", "canary sender"]
    secrets += [str(urlsplit(each).password) for each in (url, broker)]
    assert found(out, [*CANARIES, *secrets]) == []
    contents = {Path(name).name: text for name, text in files(out).items()}
    assert json.loads(contents["settings.json"])["SMTP_URL"] == f"smtp://127.0.0.1:{judge.port}"
    session = [
        each
        for each in json.loads(contents["doctor.json"])["findings"]
        if each["check"] == "smtp.session"
    ]
    assert [each["status"] for each in session] == ["failure"]
