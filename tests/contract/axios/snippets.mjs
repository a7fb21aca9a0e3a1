// The snippets of an API manual, as a client would paste them. Prints what came back as JSON.
import axios from "axios";
import FormData from "form-data";

const [BASE, KEY] = process.argv.slice(2);
const answers = {};

async function call(name, config) {
  try {
    const response = await axios(config);
    answers[name] = { status: response.status, data: response.data };
  } catch (error) {
    if (!error.response) throw error;
    answers[name] = { status: error.response.status, data: error.response.data };
  }
}

await call("list", {
  method: "get",
  url: `${BASE}/api/v3/reports/customers/2024-11-01/2024-11-30`,
  headers: { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" },
});

await call("one", {
  method: "get",
  url: `${BASE}/api/v3/reports/customers/client/4/2024-11-01/2024-11-30`,
  headers: { Authorization: `Bearer ${KEY}` },
});

await call("filter", {
  method: "post",
  url: `${BASE}/api/v3/reports/customers/client/4/2024-11-01/2024-11-30`,
  headers: { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" },
  data: JSON.stringify({ id: "4", from: "2024-11-01", to: "2024-11-30" }),
});

await call("sendJson", {
  method: "post",
  url: `${BASE}/api/v3/reports/customers/client/transactions/send/4?from=2024-11-01&to=2024-11-30`,
  headers: { Authorization: `Bearer ${KEY}` },
  data: { message: "Hello", other_emails: ["json@x.example"], send_tome: 0 },
});

const form = new FormData();
form.append("message", "Hello\nagain");
form.append("other_emails[]", "form@x.example");
form.append("other_emails[]", "FORM@x.example");
form.append("send_tome", "1");
await call("sendForm", {
  method: "post",
  url: `${BASE}/api/v3/client/transactions/send/5`,
  params: { from: "2024-11-01", to: "2024-11-30" },
  headers: { Authorization: `Bearer ${KEY}`, ...form.getHeaders() },
  data: form,
});

await call("sendUrlencoded", {
  method: "post",
  url: `${BASE}/api/v3/clients/5/transactions/send?from=2024-11-01&to=2024-11-30`,
  headers: { Authorization: `Bearer ${KEY}` },
  data: new URLSearchParams({ other_emails: "a@x.example, b@x.example", send_tome: "2030-01-31" }),
});

await call("wrongDate", {
  method: "get",
  url: `${BASE}/api/v3/reports/customers/2024-02-30/2024-11-30`,
  headers: { Authorization: `Bearer ${KEY}` },
});

await call("noKey", { method: "get", url: `${BASE}/api/v3/reports/customers/2024-11-01/2024-11-30` });

console.log(JSON.stringify(answers));
