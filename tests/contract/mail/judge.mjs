// Reads a mail's HTML from standard input, and writes what each mail program does not support, by the data of
// caniemail.com, as JSON.
import { text } from "node:stream/consumers";
import { caniemail } from "caniemail";

const clients = ["gmail.*", "outlook.*", "apple-mail.*"];
const { issues } = caniemail({ clients, html: await text(process.stdin) });
const unsupported = {};
for (const [client, found] of issues.errors) {
  for (const { title } of found) (unsupported[title] ??= []).push(client);
}
process.stdout.write(JSON.stringify(unsupported));
