// Reads lists of tools as the TypeScript SDKs do: stdin is a JSON list of definitions, each as a pair of its legacy and
// its modern form; each is read as the only tool of a list. Prints one line of JSON: for each what every SDK says
// against it (null: nothing). Run by test_definitions.py.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(new URL("../../../.tools/npm/package.json", import.meta.url));
const one = require("@modelcontextprotocol/sdk/types.js");
const { AjvJsonSchemaValidator: Ajv1 } = require("@modelcontextprotocol/sdk/validation/ajv");
const two = require("@modelcontextprotocol/core");
const { AjvJsonSchemaValidator: Ajv2 } = require("@modelcontextprotocol/client/validators/ajv");

console.warn = () => {}; // ajv tells of formats that it does not know
const against = (list, Validator, tool) => {
  try {
    const [read] = list.parse({ tools: [tool] }).tools;
    if (read.outputSchema) new Validator().getValidator(read.outputSchema);
    return null;
  } catch (error) {
    return String(error).slice(0, 300);
  }
};
const said = JSON.parse(readFileSync(0, "utf8")).map(([legacy, modern]) => ({
  "TypeScript SDK 1": against(one.ListToolsResultSchema, Ajv1, legacy),
  "TypeScript SDK 2": against(two.ListToolsResultSchema, Ajv2, modern),
}));
console.log(JSON.stringify(said));
