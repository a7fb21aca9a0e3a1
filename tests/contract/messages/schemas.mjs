// The JSON Schemas of docs/schemas, by the type of the event that each describes.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

export function schemas(docs) {
  const ajv = new Ajv2020({ allErrors: true });
  addFormats(ajv);
  ajv.addFormat("idn-email", true);
  ajv.addFormat("int64", true);
  const checks = readdirSync(join(docs, "schemas")).map((file) =>
    ajv.compile(JSON.parse(readFileSync(join(docs, "schemas", file), "utf-8"))),
  );
  const of = (event) =>
    checks.find(({ schema: { properties: { type } } }) =>
      type.const === undefined ? new RegExp(type.pattern).test(event.type) : type.const === event.type,
    );
  return {
    faults(event) {
      const check = of(event);
      if (check === undefined) return [`no schema for ${event.type}`];
      return check(event) ? [] : check.errors.map((e) => `${event.type}${e.instancePath}: ${e.message}`);
    },
  };
}
