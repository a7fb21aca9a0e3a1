// Makes Python and TypeScript models of docs/asyncapi.json, and prints the names of each.
import { readFileSync } from "node:fs";
import { PythonGenerator, TypeScriptGenerator } from "@asyncapi/modelina";

const document = JSON.parse(readFileSync(process.argv[2], "utf-8"));
const said = {};
for (const [name, Generator] of Object.entries({ python: PythonGenerator, typescript: TypeScriptGenerator })) {
  const models = await new Generator().generate(document);
  // The choice between the messages of one channel has no name of its own.
  said[name] = models.filter((each) => each.result !== "").map((each) => each.modelName).filter((each) => each !== "");
}
process.stdout.write(JSON.stringify(said));
