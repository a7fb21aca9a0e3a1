"""A Python program that uses the client made by openapi-generator."""

import json
import sys
from datetime import UTC, date, datetime

from ledgerpost_client import ApiClient, ApiException, Configuration, ReportsApi, SendsApi
from ledgerpost_client.models.send_body import SendBody
from ledgerpost_client.models.send_body_send_at import SendBodySendAt

url, key = sys.argv[1:]
first, last = date(2024, 11, 1), date(2024, 11, 30)

with ApiClient(Configuration(host=url, access_token=key)) as client:
    rows = ReportsApi(client).list_income(first, last)
    sends = SendsApi(client)
    body = SendBody(
        message="Thank you!",
        other_emails=["accounts@client.example"],
        send_at=SendBodySendAt(datetime(2099, 1, 31, 9, tzinfo=UTC)),
        copy_to_me=True,
    )
    accepted = sends.send_transactions_with_http_info(4, first, last, send_body=body)
    state = sends.get_send(accepted.data.id)
    try:
        sends.send_transactions(4, first, last, send_body=SendBody(other_emails=["no address"]))
    except ApiException as error:
        refused = [each["field"] for each in json.loads(error.body)["errors"]]
    said = {
        "rows": len(rows),
        "status": accepted.status_code,
        "state": [state.status, state.personal_message, state.send_at.isoformat()],
        "recipients": sorted(each.email for each in state.recipients),
        "refused": refused,
    }
sys.stdout.write(json.dumps(said))
