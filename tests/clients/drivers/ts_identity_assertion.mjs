// Gets in with the TypeScript SDK's provider for identity assertions (ID-JAG): it asks an identity provider for one with
// the person's id_token, and the gateway's authorization server for an access token with that. Calls a tool, spoils its
// access token and calls again. Prints one line of JSON.
// Arguments: URL TOOL ARGUMENTS-AS-JSON SETTINGS-AS-JSON (issuer, client_id, client_secret of ours; idp, id_token,
// idp_client_id, idp_client_secret). Run by tests/clients/test_identity_assertions.py.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../.tools/npm/package.json", import.meta.url));
const { Client, CrossAppAccessProvider, StreamableHTTPClientTransport, discoverAndRequestJwtAuthGrant } = require(
  "@modelcontextprotocol/client",
);
const [url, tool, args, settings] = process.argv.slice(2);
const given = JSON.parse(settings);
let asked = 0;

const authProvider = new CrossAppAccessProvider({
  assertion: async ({ authorizationServerUrl, resourceUrl, scope, fetchFn }) => {
    asked += 1;
    const { jwtAuthGrant } = await discoverAndRequestJwtAuthGrant({
      idpUrl: given.idp, audience: authorizationServerUrl, resource: resourceUrl, idToken: given.id_token,
      clientId: given.idp_client_id, clientSecret: given.idp_client_secret, scope, fetchFn,
    });
    return jwtAuthGrant;
  },
  clientId: given.client_id,
  clientSecret: given.client_secret,
  expectedIssuer: given.issuer,
});
const client = new Client({ name: "archway-tests", version: "1" }, { versionNegotiation: { mode: "auto" } });
await client.connect(new StreamableHTTPClientTransport(new URL(url), { authProvider }));
const call = () => client.callTool({ name: tool, arguments: JSON.parse(args) });
const result = await call();
const first = authProvider.tokens();
authProvider.saveTokens({ ...first, access_token: "spoiled" });
await call();
console.log(JSON.stringify({ result, asked, scope: first.scope, refreshes: Boolean(first.refresh_token) }));
await client.close();
