// Drives the TypeScript client's second major version: list the tools, call one, print one line of JSON.
// Arguments: URL TOKEN TOOL ARGUMENTS-AS-JSON [legacy|auto|2026-07-28]. Run by tests/clients/real_clients.py.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../.tools/npm/package.json", import.meta.url));
const { Client, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client");

const [url, token, tool, args, mode = "legacy"] = process.argv.slice(2);
const negotiation = mode === "legacy" || mode === "auto" ? mode : { pin: mode };
const transport = new StreamableHTTPClientTransport(new URL(url), {
  requestInit: { headers: { Authorization: `Bearer ${token}` } },
});
const client = new Client(
  { name: "archway-tests", version: "1" },
  { versionNegotiation: { mode: negotiation } },
);
await client.connect(transport);
const tools = [];
let cursor;
do {
  const page = await client.listTools({ cursor });
  tools.push(...page.tools.map((one) => one.name));
  cursor = page.nextCursor;
} while (cursor !== undefined);
const result = await client.callTool({ name: tool, arguments: JSON.parse(args) });
console.log(JSON.stringify({ protocol: client.getNegotiatedProtocolVersion(), tools, result }));
await client.close();
