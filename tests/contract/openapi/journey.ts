// What a client made from the document does: list, send, follow the send, read a refusal.
import createClient from "openapi-fetch";
import type { components, paths } from "./ledgerpost.js";

type Row = components["schemas"]["Row"];
type Send = components["schemas"]["Send"];

const [baseUrl, key] = process.argv.slice(2);
if (baseUrl === undefined || key === undefined) throw new Error("usage: journey URL KEY");
// Reports have other formats, too; without these two, the type of an answer would be any of them.
type Media = "application/json" | "application/problem+json";
const headers = { Authorization: `Bearer ${key}` };
const client = createClient<paths, Media>({ baseUrl, headers });
const november = { from: "2024-11-01", to: "2024-11-30" };

const listed = await client.GET("/api/v3/reports/customers/{from}/{to}", {
  params: { path: november },
});
if (listed.error) throw new Error(listed.error.detail);
const rows: Row[] = listed.data;
const reachable = rows.find((row) => row.business_email !== null && row.owing > 0);
if (reachable === undefined) throw new Error("nobody owes anything and has an address");

const accepted = await client.POST("/api/v3/clients/{id}/transactions/send", {
  params: {
    path: { id: reachable.id },
    query: november,
    header: { "Idempotency-Key": "journey-1" },
  },
  body: { message: "Thank you!", other_emails: ["accounts@client.example"], send_at: "2030-01-31" },
});
if (accepted.error) throw new Error(accepted.error.detail);
const send: Send = accepted.data;

const state = await client.GET("/api/v3/sends/{id}", { params: { path: { id: send.id } } });
if (state.error) throw new Error(state.error.detail);

const history = await client.GET("/api/v3/sends", {
  params: { query: { status: "scheduled", limit: 10 } },
});
if (history.error) throw new Error(history.error.detail);

const refused = await client.POST("/api/v3/clients/{id}/transactions/send", {
  params: { path: { id: reachable.id }, query: november },
  body: { other_emails: ["nobody"] },
});
if (refused.error === undefined || !("errors" in refused.error)) throw new Error("not refused");

console.log(
  JSON.stringify({
    customers: rows.map((row) => row.id),
    customer: reachable.id,
    accepted: { status: accepted.response.status, message: send.message },
    location: accepted.response.headers.get("Location"),
    state: {
      id: state.data.id,
      status: state.data.status,
      recipients: state.data.recipients.map(({ email, state }) => ({ email, state })),
    },
    history: history.data.data.map((each) => each.id),
    refused: { status: refused.response.status, fields: refused.error.errors.map((e) => e.field) },
  }),
);
