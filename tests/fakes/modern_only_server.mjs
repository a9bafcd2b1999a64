// A server of the TypeScript SDK's second major version that refuses every older revision: 2026-07-28 alone.
// Argument: PORT. It has what npm server-everything has for the older ones: a tool that reports progress, one that asks
// for a form, one that shows what it was given, a resource, a template and a prompt whose argument is completed.
// Run by tests/fixtures_upstreams.py.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../.tools/npm/package.json", import.meta.url));
const { serve } = require("@hono/node-server");
const { McpServer, ResourceTemplate, acceptedContent, completable, createMcpHandler, inputRequired } =
  require("@modelcontextprotocol/server");
const { z } = require("zod");

const text = (said) => ({ content: [{ type: "text", text: said }] });
const read = (uri, said) => ({ contents: [{ uri: uri.href, mimeType: "text/plain", text: said }] });
const CITIES = ["Lima", "Lisbon", "Oslo"];

function made() {
  const server = new McpServer({ name: "modern-only", version: "1" });
  server.registerTool("say", { inputSchema: z.object({ text: z.string() }) }, ({ text: said }) => text(`modern: ${said}`));
  server.registerTool("spare", {}, () => text("spare"));
  server.registerTool("steps", { inputSchema: z.object({ number: z.number() }) }, async ({ number }, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (let progress = 1; progressToken !== undefined && progress <= number; progress += 1)
      await mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total: number } });
    return text(`${number} steps`);
  });
  server.registerTool("greet", {}, ({ mcpReq }) => {
    const given = acceptedContent(mcpReq.inputResponses, "who");
    if (given) return text(`Hello ${given.name}`);
    const requestedSchema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
    const who = inputRequired.elicit({ message: "Who are you?", requestedSchema });
    return inputRequired({ inputRequests: { who } });
  });
  server.registerResource("motto", "modern://motto", {}, (uri) => read(uri, "modern and nothing else"));
  const template = new ResourceTemplate("modern://cities/{city}", { list: undefined });
  server.registerResource("city", template, {}, (uri, { city }) => read(uri, `about ${city}`));
  const city = completable(z.string(), (begun) => CITIES.filter((one) => one.startsWith(begun)));
  server.registerPrompt("travel", { argsSchema: z.object({ city }) }, ({ city: where }) => ({
    messages: [{ role: "user", content: { type: "text", text: `Plan a day in ${where}` } }],
  }));
  return server;
}

const handler = createMcpHandler(made, { legacy: "reject" });
serve({ fetch: handler.fetch, hostname: "127.0.0.1", port: Number(process.argv[2]) });
