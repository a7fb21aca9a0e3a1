"""The branding of a business goes the whole way into the mails of its sends."""

import hashlib

from tests.journeys.conftest import System
from tests.shared.statements.branded import logo

PNG = logo()


async def test_logo_names_and_files_of_a_business_are_in_its_mails(system: System) -> None:
    sha256 = hashlib.sha256(PNG).digest()
    await system.db.execute("INSERT INTO logos VALUES (1, $1, $2, 480, 160)", sha256, PNG)
    await system.db.execute(
        "INSERT INTO branding (business_id, sender_name, reply_to, attach_csv, logo_sha256)"
        " VALUES (1, 'Kente Accounts', 'pay@kente.example', true, $1)",
        sha256,
    )
    async with system.relay(), system.mailer():
        sent = await system.send(copy_to_me=True)
        await system.settled(sent["id"])
        mails = {mail.recipient: mail.message for mail in system.judge.accepted}
    copy = mails.pop("owner@kente.example.com")
    (message,) = mails.values()
    assert str(copy["Subject"]) == f"Copy: {message['Subject']}"
    for each in (message, copy):
        assert each["From"].addresses[0].display_name == "Kente Accounts"
        assert each["Reply-To"].addresses[0].addr_spec == "pay@kente.example"
        (picture,) = [part for part in each.walk() if part.get_content_type() == "image/png"]
        assert (picture["Content-ID"], picture.get_content()) == ("<logo>", PNG)
        kinds = [part.get_content_type() for part in each.iter_attachments()]
        assert kinds == ["application/pdf", "text/csv"]
        page = each.get_body(("html",))
        assert 'src="cid:logo"' in page.get_content()
