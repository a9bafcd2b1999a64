// Drives the TypeScript SDK's first major version: list the tools, call one, print one line of JSON.
// Arguments: URL TOKEN TOOL ARGUMENTS-AS-JSON. Run by tests/clients/real_clients.py.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../.tools/npm/package.json", import.meta.url));
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");

const [url, token, tool, args] = process.argv.slice(2);
const transport = new StreamableHTTPClientTransport(new URL(url), {
  requestInit: { headers: { Authorization: `Bearer ${token}` } },
});
const client = new Client({ name: "archway-tests", version: "1" });
await client.connect(transport);
const tools = [];
let cursor;
do {
  const page = await client.listTools({ cursor });
  tools.push(...page.tools.map((one) => one.name));
  cursor = page.nextCursor;
} while (cursor !== undefined);
const result = await client.callTool({ name: tool, arguments: JSON.parse(args) });
console.log(JSON.stringify({ protocol: transport.protocolVersion, tools, result }));
await transport.terminateSession();
await client.close();
