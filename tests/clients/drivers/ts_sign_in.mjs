// Signs a person in with the OAuth client of a TypeScript SDK, calls a tool, spoils its access token and calls again,
// for which it must refresh. Prints the address to open, and at the end one line of JSON.
// Arguments: 1|2 URL TOOL ARGUMENTS-AS-JSON [CLIENT-METADATA-URL]. Run by tests/journeys/test_sdk_clients.py.
import { createServer } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../.tools/npm/package.json", import.meta.url));
const [major, url, tool, args, clientMetadataUrl] = process.argv.slice(2);
const { Client, StreamableHTTPClientTransport, UnauthorizedError } =
  major === "2"
    ? require("@modelcontextprotocol/client")
    : {
        ...require("@modelcontextprotocol/sdk/client/index.js"),
        ...require("@modelcontextprotocol/sdk/client/streamableHttp.js"),
        ...require("@modelcontextprotocol/sdk/client/auth.js"),
      };

let cameBack;
const back = new Promise((resolve) => { cameBack = resolve; });
const server = createServer((request, response) => {
  const asked = new URL(request.url, "http://localhost");
  response.end("Signed in. You may close this window.");
  if (asked.pathname === "/callback") cameBack(asked.searchParams);
});
await new Promise((resolve) => server.listen(0, "localhost", resolve));
const redirectUrl = `http://localhost:${server.address().port}/callback`;

const kept = { asked: 0 };
const authProvider = {
  redirectUrl,
  clientMetadataUrl,
  clientMetadata: { client_name: "TypeScript SDK", redirect_uris: [redirectUrl], token_endpoint_auth_method: "none" },
  state: () => "of-this-browser",
  clientInformation: () => kept.client,
  saveClientInformation: (client) => { kept.client = client; },
  tokens: () => kept.tokens,
  saveTokens: (tokens) => { kept.tokens = tokens; },
  codeVerifier: () => kept.verifier,
  saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
  redirectToAuthorization: (address) => { kept.asked += 1; console.log("Sign in at", address.href); },
};
const client = () => new Client(
  { name: "archway-tests", version: "1" },
  major === "2" ? { versionNegotiation: { mode: "auto" } } : undefined,
);
const transport = () => new StreamableHTTPClientTransport(new URL(url), { authProvider });

const first = transport();
try {
  await client().connect(first);
  throw new Error("nobody was asked to sign in");
} catch (error) {
  if (!(error instanceof UnauthorizedError)) throw error;
}
const given = await back;
if (given.get("state") !== "of-this-browser") throw new Error("another state came back");
await (major === "2" ? first.finishAuth(given) : first.finishAuth(given.get("code")));

const connected = client();
await connected.connect(transport());
const call = () => connected.callTool({ name: tool, arguments: JSON.parse(args) });
const result = await call();
const refreshWith = kept.tokens.refresh_token;
kept.tokens = { ...kept.tokens, access_token: "spoiled" };
await call();
console.log(JSON.stringify({
  result,
  asked: kept.asked,
  refreshed: kept.tokens.access_token !== "spoiled" && kept.tokens.refresh_token !== refreshWith,
  client: kept.client?.client_id ?? null,
}));
await connected.close();
server.close();
