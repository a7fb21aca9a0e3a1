// Another system: asks for a send and then for a batch over RabbitMQ, and follows each to its end. Prints its
// journey.
import { randomUUID } from "node:crypto";
import amqplib from "amqplib";
import { schemas } from "./schemas.mjs";

const [url, key, docs] = process.argv.slice(2);
const known = schemas(docs);
const journey = [];
const queued = { noAck: true };

const connection = await amqplib.connect(url);
const channel = await connection.createConfirmChannel();
const { queue: replies } = await channel.assertQueue("", { exclusive: true });
const { queue: events } = await channel.assertQueue("", { exclusive: true });
await channel.bindQueue(events, "ledgerpost.events", "delivery.*.1");
await channel.bindQueue(events, "ledgerpost.events", "send-request.*.1");
await channel.bindQueue(events, "ledgerpost.events", "batch-request.*.1");
await channel.bindQueue(events, "ledgerpost.events", "batch.*.1");

let send, done, ended;
const sent = new Promise((resolve) => (done = resolve));
const finished = new Promise((resolve) => (ended = resolve));
const early = [];

function note(from, { content, properties, fields }) {
  const event = JSON.parse(content);
  journey.push({
    from,
    key: fields.routingKey,
    correlationId: properties.correlationId ?? null,
    contentType: properties.contentType,
    faults: known.faults(event),
    event,
  });
  if (event.type === "com.ledgerpost.send-request.accepted.v1") send = event.data.id;
  early.push(event);
  const over = early.filter(
    ({ type, data }) => type === "com.ledgerpost.delivery.sent.v1" && data.send_id === send,
  );
  const answered = journey.filter(({ event: { type } }) => type.includes("send-request"));
  if (event.type === "com.ledgerpost.batch.done.v1") ended();
  if (send && new Set(over.map(({ data }) => data.email)).size === 2 && answered.length === 4) done();
}

await channel.consume(replies, (message) => note("reply", message), queued);
await channel.consume(events, (message) => note("events", message), queued);

function ask(data, correlationId, kind = "send") {
  const request = {
    specversion: "1.0",
    id: randomUUID(),
    source: "/crm",
    type: `com.ledgerpost.${kind}-request.v1`,
    time: new Date().toISOString(),
    data,
  };
  channel.publish("ledgerpost.intake", "ledgerpost.send-requests", Buffer.from(JSON.stringify(request)), {
    contentType: "application/cloudevents+json",
    persistent: true,
    mandatory: true,
    headers: { authorization: `Bearer ${key}` },
    replyTo: replies,
    correlationId,
  });
  return known.faults(request);
}

const period = { from: "2024-11-01", to: "2024-11-30" };
const wrong = ask({ customer_id: 4, from: "2024-11-30", to: "2024-11-01" }, "wrong");
const right = ask({ customer_id: 4, ...period, message: "Ɛsi, merci!", other_emails: ["a@x.example"] }, "right");
await channel.waitForConfirms();
const timer = setTimeout(() => (done(), ended()), 60_000);
await sent;
const many = ask({ ...period, filter: { id: [4, 6] }, min_balance: "-99999999.5", skip_empty: false }, "many", "batch");
await finished;
clearTimeout(timer);
await connection.close();
process.stdout.write(JSON.stringify({ asked: [wrong, right, many], journey }, null, 1));
