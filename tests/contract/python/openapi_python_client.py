"""A Python program that uses the client made by openapi-python-client."""

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from ledgerpost_client import AuthenticatedClient
from ledgerpost_client.api.branding import get_logo, replace_branding, replace_logo
from ledgerpost_client.api.reports import list_income
from ledgerpost_client.api.sends import get_send, send_transactions
from ledgerpost_client.models import (
    BrandingBody,
    BusinessBranding,
    InputProblem,
    Send,
    SendBody,
    SendBodyForm,
)
from ledgerpost_client.types import File

url, key = sys.argv[1:]
first, last = date(2024, 11, 1), date(2024, 11, 30)

with AuthenticatedClient(base_url=url, token=key) as client:
    rows = list_income.sync(client=client, from_=first, to=last)
    body = SendBody(
        message="Thank you!",
        other_emails=["accounts@client.example"],
        send_at=datetime(2099, 1, 31, 9, tzinfo=UTC),
        copy_to_me=True,
    )
    accepted = send_transactions.sync_detailed(4, client=client, from_=first, to=last, body=body)
    send = accepted.parsed
    assert isinstance(send, Send), accepted
    state = get_send.sync(send.id, client=client)
    assert isinstance(state, Send)
    form = SendBodyForm(message="By form", other_emails=["form@client.example"])
    posted = send_transactions.sync(4, client=client, from_=first, to=last, body=form)
    assert isinstance(posted, Send)
    wrong = SendBody(other_emails=["no address"])
    refused = send_transactions.sync(4, client=client, from_=first, to=last, body=wrong)
    assert isinstance(refused, InputProblem)
    with Path("logo.png").open("rb") as file:
        branded = replace_logo.sync(client=client, body=File(file))
    assert isinstance(branded, BusinessBranding)
    assert branded.logo is not None
    picture = get_logo.sync(client=client)
    assert isinstance(picture, File)
    coloured = replace_branding.sync(client=client, body=BrandingBody(accent="#0B5C4D"))
    assert isinstance(coloured, BusinessBranding)
    shown = picture.payload.read().startswith(b"\x89PNG")
    said = {
        "rows": len(rows) if isinstance(rows, list) else -1,
        "status": int(accepted.status_code),
        "state": [str(state.status), state.personal_message, state.send_at.isoformat()],
        "recipients": sorted(each.email for each in state.recipients),
        "form": [posted.personal_message, sorted(each.email for each in posted.recipients)],
        "logo": [branded.logo.width, branded.logo.height, coloured.accent, shown],
        "refused": [each.field for each in refused.errors],
    }
sys.stdout.write(json.dumps(said))
