// Holds the AsyncAPI document against the official parser and the published schema, and examples
// and messages against the JSON Schemas. Prints what is wrong as JSON, [] where nothing is.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Parser } from "@asyncapi/parser";
import specs from "@asyncapi/specs";
import Ajv from "ajv";
import { schemas } from "./schemas.mjs";

const [docs] = process.argv.slice(2);
const text = readFileSync(join(docs, "asyncapi.json"), "utf-8");
const wrong = [];

const { document, diagnostics } = await new Parser().parse(text);
if (document === undefined) wrong.push("the parser returns no document");
// Of 3.1 the official generators know nothing yet, so ours is 3.0.
const apart = diagnostics.filter((each) => each.code !== "asyncapi-latest-version");
for (const each of apart) wrong.push(`${each.path.join("/")}: ${each.message}`);

const published = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false });
if (!published.validate(specs.schemas[JSON.parse(text).asyncapi], JSON.parse(text)))
  for (const each of published.errors) wrong.push(`${each.instancePath}: ${each.message}`);

const known = schemas(docs);
const found = JSON.parse(text).components.messages;
const files = readdirSync(join(docs, "schemas"));
if (files.length !== Object.keys(found).length) wrong.push("a message has no schema of its own");
for (const { payload } of Object.values(found).flatMap((message) => message.examples))
  wrong.push(...known.faults(payload));

process.stdout.write(JSON.stringify(wrong));
