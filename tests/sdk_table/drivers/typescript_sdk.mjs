// Calls the tool of every row with the TypeScript SDK; prints one line of JSON, row to what went wrong.
// Arguments: ORIGIN SECONDS ROW... Run by tests/sdk_table/sdks.py.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../.tools/npm/package.json", import.meta.url));
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");

const [origin, seconds, ...rows] = process.argv.slice(2);
const timeout = 1000 * Number(seconds);

async function outcome(row) {
  const client = new Client({ name: "archway-tests", version: "1" });
  try {
    await client.connect(new StreamableHTTPClientTransport(new URL(`${origin}/${row}/mcp`)), { timeout });
    await client.callTool({ name: "t", arguments: {} }, undefined, { timeout });
    return "";
  } catch (error) {
    return `${error}`.slice(0, 300) || "an error";
  } finally {
    await client.close().catch(() => {});
  }
}

const outcomes = await Promise.all(rows.map(outcome));
console.log(JSON.stringify(Object.fromEntries(rows.map((row, number) => [row, outcomes[number]]))));
process.exit(0);
