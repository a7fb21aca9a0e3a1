// Mails by amqplib and Nodemailer with its pool: with DATABASE_URL after the product's own claim,
// gate and result in Postgres, each row by itself; without it stateless.
import { readFileSync } from "node:fs";
import amqp from "amqplib";
import nodemailer from "nodemailer";
import pg from "pg";

const { AMQP_URL, DATABASE_URL, SMTP_PORT, CONNECTIONS, PEER_MAIL, PEER_QUERIES } = process.env;
const connections = Number(CONNECTIONS);
const mail = JSON.parse(readFileSync(PEER_MAIL));
const transport = nodemailer.createTransport({
  host: "127.0.0.1",
  port: Number(SMTP_PORT),
  ignoreTLS: true,
  pool: true,
  maxConnections: connections,
  maxMessages: Infinity,
});

function send(recipient) {
  return transport.sendMail({
    from: "post@ledgerpost.example",
    to: recipient,
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
  });
}

function durable() {
  const queries = JSON.parse(readFileSync(PEER_QUERIES));
  const pool = new pg.Pool({ connectionString: DATABASE_URL, max: connections });
  const ask = (name, ...values) => pool.query({ name, text: queries[name], values });
  return async (id) => {
    const claimed = await ask("claim", [id], "30s");
    if (claimed.rowCount === 0) return;
    const { token, email } = claimed.rows[0];
    const passed = await ask("gate", [id], [token], "30s");
    if (passed.rowCount === 0) return;
    const info = await send(email);
    await ask(
      "record", [id], [token], ["sent"], ["0s"], [true], [info.response], [null], [null], [false],
    );
  };
}

const deliver = DATABASE_URL ? durable() : (id) => send(`billing+${id}@customer.example`);
const connection = await amqp.connect(AMQP_URL);
const channel = await connection.createChannel();
await channel.prefetch(2 * connections);
await channel.consume("ledgerpost.send-transactions", async (message) => {
  await deliver(JSON.parse(message.content).data.delivery_id);
  channel.ack(message);
});
