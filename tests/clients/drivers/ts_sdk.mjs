// Both major versions of the TypeScript client, for a test that talks with one: a line of JSON in, a line out, as
// talking.py has it for Python. Arguments: URL TOKEN 1|2 [legacy|auto]. Run by tests/clients/talkers.py.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../.tools/npm/package.json", import.meta.url));
const [url, token, major, mode] = process.argv.slice(2);
const sdk = major === "2" ? require("@modelcontextprotocol/client") : {
  ...require("@modelcontextprotocol/sdk/client/index.js"),
  ...require("@modelcontextprotocol/sdk/client/streamableHttp.js"),
  ...require("@modelcontextprotocol/sdk/types.js"),
};
const asked = [];
const news = [];
const client = new sdk.Client(
  { name: "archway-tests", version: "1" },
  { capabilities: { elicitation: { form: {} } }, ...(major === "2" ? { versionNegotiation: { mode } } : {}) },
);
const answers = ({ params }) => {
  asked.push(params.message);
  return { action: "accept", content: { name: "Ada" } };
};
const hears = ({ method }) => { news.push(method); };
if (major === "2") {
  client.setRequestHandler("elicitation/create", answers);
  for (const list of ["tools", "prompts"]) client.setNotificationHandler(`notifications/${list}/list_changed`, hears);
} else {
  client.setRequestHandler(sdk.ElicitRequestSchema, answers);
  client.setNotificationHandler(sdk.ToolListChangedNotificationSchema, hears);
  client.setNotificationHandler(sdk.PromptListChangedNotificationSchema, hears);
}

const texts = (blocks) => blocks.filter((one) => one.text !== undefined).map((one) => one.text).join("\n");
const all = async (page, member, named) => {
  const names = [];
  let cursor;
  do {
    const found = await page(cursor === undefined ? undefined : { cursor });
    names.push(...found[member].map((one) => one[named]));
    cursor = found.nextCursor;
  } while (cursor !== undefined);
  return names;
};
const call = async ({ tool, arguments: given }) => {
  const progress = [];
  const onprogress = ({ progress: done, total }) => { progress.push([done, total]); };
  asked.length = 0;
  const params = { name: tool, arguments: given };
  const result = await (major === "2"
    ? client.callTool(params, { onprogress })
    : client.callTool(params, undefined, { onprogress }));
  return { text: texts(result.content), progress, asked: [...asked] };
};
const transport = new sdk.StreamableHTTPClientTransport(new URL(url), {
  requestInit: { headers: { Authorization: `Bearer ${token}` } },
});
const can = {
  protocol: () => (major === "2" ? client.getNegotiatedProtocolVersion() : transport.protocolVersion),
  tools: () => all((more) => client.listTools(more), "tools", "name"),
  resources: () => all((more) => client.listResources(more), "resources", "uri"),
  templates: () => all((more) => client.listResourceTemplates(more), "resourceTemplates", "uriTemplate"),
  prompts: () => all((more) => client.listPrompts(more), "prompts", "name"),
  call,
  read: async ({ uri }) => texts((await client.readResource({ uri })).contents),
  get: async ({ prompt, arguments: given }) =>
    texts((await client.getPrompt({ name: prompt, arguments: given })).messages.map((one) => one.content)),
  complete: async ({ prompt, argument, value }) =>
    (await client.complete({ ref: { type: "ref/prompt", name: prompt }, argument: { name: argument, value } }))
      .completion.values,
  // A legacy session listens by itself.
  listen: async () => { if (mode === "auto") await client.listen({ toolsListChanged: true, promptsListChanged: true }); },
  heard: () => news,
};

await client.connect(transport);
for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...given } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ result: (await can[name](given)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
if (major === "1" || mode === "legacy") await transport.terminateSession();
await client.close();
