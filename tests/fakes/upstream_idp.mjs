// The authorization server of an upstream (npm oidc-provider) on loopback: it registers clients, reads the document of
// one, gives JWTs for the resource that is asked for, and knows refresh tokens that come twice.
// Argument: PORT. Environment: DOCUMENT, the client's own document as JSON, which it "fetches"; MACHINE, the public key
// of the client `signer` as JSON. Prints "ready ISSUER". Run by tests/oauth_providers/.
const library = new URL("../../.tools/npm/node_modules/oidc-provider/lib/index.js", import.meta.url);
const { Provider } = await import(library.href);

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const document = JSON.parse(process.env.DOCUMENT);
const people = { ann: { email: "ann@corp.test" }, bob: { email: "bob@corp.test" } };
const machine = { redirect_uris: [], response_types: [], grant_types: ["client_credentials"] };

const provider = new Provider(issuer, {
  clients: [
    { ...machine, client_id: "machine", client_secret: "a secret: with + and %" },
    {
      ...machine,
      client_id: "signer",
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: "ES256",
      jwks: { keys: [JSON.parse(process.env.MACHINE)] },
    },
  ],
  scopes: ["openid", "offline_access", "email"],
  claims: { openid: ["sub"], email: ["email"] },
  findAccount: (_ctx, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
  pkce: { required: () => true },
  cookies: { keys: ["of the test"] },
  rotateRefreshToken: true,
  clientAuthMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
  fetch: async (url) =>
    String(url) === document.client_id
      ? new Response(JSON.stringify(document), { headers: { "content-type": "application/json" } })
      : new Response("", { status: 404 }),
  features: {
    devInteractions: { enabled: true },
    registration: { enabled: true },
    revocation: { enabled: true },
    clientCredentials: { enabled: true },
    clientIdMetadataDocument: { enabled: true, ack: "draft-02" },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => false,
      getResourceServerInfo: (_ctx, resource) => ({
        scope: "tools:read tools:write",
        audience: resource,
        accessTokenFormat: "jwt",
        accessTokenTTL: 300,
      }),
    },
  },
});
provider.on("server_error", (_ctx, error) => console.error(error));
provider.listen(port, "127.0.0.1", () => console.log(`ready ${issuer}`));
process.on("SIGTERM", () => process.exit(0));
