// A real OpenID provider (npm oidc-provider) on loopback, which a test can rotate, switch off and lie with.
// Arguments: PORT REDIRECT_URI [upstream]. Prints "ready ISSUER". Run by tests/fixtures_idp.py. As `upstream` it is the
// provider of an MCP server: clients register themselves, tokens are for a resource, and refresh tokens rotate.
//
// Beside the provider's own addresses there are these for the test, all POST with JSON:
//   /test/rotate   {keep}            another signing key; `keep`: the old ones stay published
//   /test/outage   {on}              everything else answers 503
//   /test/person   {id, claims}      make or change a person; claims null: they are gone
//   /test/token    {claims, header}  any token, signed with the current key; answers {token}
//   /test/say      {claims}          what an id_token has from now on, over the usual claims
//   /test/knows    {token}           whether it would take this token now: {active}
//   /test/counts   {}                how often each address was asked
//   /test/foreign  {}                the metadata names another origin for its keys, where they are; answers {origin}
//   /test/signed-in {id, scope, seconds}   what it gives a client `archway` for a person, without a browser
//   /test/reset    {}                as it was when it began, but for its key
// Tokens are exchanged by exchange_grants.mjs, which has orders of its own.
import { createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { ExchangeGrants, exchangeClients } from "./exchange_grants.mjs";

const library = new URL("../../.tools/npm/node_modules/oidc-provider/lib/index.js", import.meta.url);
const { Provider, errors } = await import(library.href);

const [port, redirectUri] = [Number(process.argv[2]), process.argv[3]];
const issuer = `http://127.0.0.1:${port}`;
const usual = () => ({
  ann: { email: "ann@corp.test", email_verified: true, name: "Ann Archer", groups: ["eng"], roles: [] },
  bob: { email: "bob@corp.test", email_verified: false, name: "Bob Baker", groups: [], roles: [] },
});
const upstream = process.argv[4] === "upstream";
const forResources = {
  registration: { enabled: true, initialAccessToken: false },
  resourceIndicators: {
    enabled: true,
    getResourceServerInfo: () => ({ scope: "read write", accessTokenTTL: 300, accessTokenFormat: "opaque" }),
    useGrantedResource: () => true,
  },
};
const exchanges = new ExchangeGrants(issuer, errors, signed, () => keys, (id) => people[id]);
let people = usual();
let asked = {};
let keys = [newKey()];
let provider = newProvider();
let outage = false;
let foreignKeys = "";
let saidToo = null;

function newKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: "RS256", use: "sig", privateKey };
}

function newProvider() {
  const made = new Provider(issuer, {
    jwks: { keys: keys.map(({ privateKey, ...jwk }) => jwk) },
    clients: [
      {
        client_id: "archway",
        client_secret: "a secret: with + and %",
        redirect_uris: [redirectUri],
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
      },
      ...exchangeClients,
    ],
    scopes: ["openid", "offline_access", "profile", "email", ...(upstream ? ["read", "write"] : [])],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups", "roles"] },
    conformIdTokenClaims: false, // so that an id_token has what userinfo has
    findAccount: (_ctx, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
    pkce: { required: () => true },
    cookies: { keys: ["of the test"] },
    features: { devInteractions: { enabled: true }, revocation: { enabled: true }, ...(upstream ? forResources : {}) },
    rotateRefreshToken: true,
    ttl: { AccessToken: 300, IdToken: 300, Session: 3600, Interaction: 600, Grant: 14 * 86400, RefreshToken: 14 * 86400 },
  });
  exchanges.register(made);
  made.use(async (ctx, next) => {
    await next();
    if (saidToo && ctx.body?.id_token) {
      const told = JSON.parse(Buffer.from(ctx.body.id_token.split(".")[1], "base64url"));
      ctx.body.id_token = signed({ claims: { ...told, ...saidToo }, header: { typ: "JWT" } });
    }
  });
  made.on("server_error", (_ctx, error) => console.error(error));
  return made;
}

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function signed({ claims, header }) {
  const now = Math.floor(Date.now() / 1000);
  const head = { alg: "RS256", kid: keys[0].kid, typ: "at+jwt", ...header };
  const body = { iss: issuer, iat: now, exp: now + 300, jti: randomUUID(), ...claims };
  const text = `${encoded(head)}.${encoded(body)}`;
  return `${text}.${createSign("RSA-SHA256").update(text).sign(keys[0].privateKey, "base64url")}`;
}

const orders = {
  "/test/rotate": ({ keep }) => {
    keys = [newKey(), ...(keep ? keys : [])];
    provider = newProvider(); // sessions and grants are kept beside it
    return { kid: keys[0].kid };
  },
  "/test/outage": ({ on }) => ({ on: (outage = on) }),
  "/test/person": ({ id, claims }) => {
    if (claims === null) delete people[id];
    else people[id] = { ...people[id], ...claims };
    return {};
  },
  "/test/token": (order) => ({ token: signed(order) }),
  "/test/say": ({ claims }) => ({ claims: (saidToo = claims) }),
  "/test/knows": async ({ token }) => {
    const found = (await provider.AccessToken.find(token)) ?? (await provider.RefreshToken.find(token));
    const grant = found && (await provider.Grant.find(found.grantId));
    return { active: Boolean(found?.isValid && grant), person: found?.accountId ?? "", scope: found?.scope ?? "" };
  },
  "/test/counts": () => asked,
  "/test/signed-in": signedIn,
  ...exchanges.orders(),
  "/test/reset": () => {
    exchanges.reset();
    [people, asked, outage, foreignKeys, saidToo] = [usual(), {}, false, "", null];
    return {};
  },
  "/test/foreign": () => {
    const origin = `http://127.0.0.1:${elsewhere.address().port}`;
    foreignKeys = `${origin}/jwks`;
    return { origin };
  },
};

async function signedIn({ id, scope = "openid email profile offline_access", seconds = 300 }) {
  const client = await provider.Client.find("archway");
  const grant = new provider.Grant({ accountId: id, clientId: client.clientId });
  grant.addOIDCScope(scope);
  const shared = { accountId: id, client, grantId: await grant.save(), gty: "authorization_code", scope };
  const { sub, ...person } = { sub: id, ...people[id] };
  return {
    access_token: await new provider.AccessToken({ ...shared, expiresIn: seconds }).save(seconds),
    refresh_token: await new provider.RefreshToken({ ...shared, rotations: 0, iiat: Math.floor(Date.now() / 1000) }).save(1209600),
    id_token: signed({ claims: { sub, aud: client.clientId, ...person }, header: { typ: "JWT" } }),
    token_type: "Bearer",
    expires_in: seconds,
    scope,
  };
}

async function bodyOf(request) {
  let text = "";
  for await (const part of request) text += part;
  return JSON.parse(text || "{}");
}

async function answer(request, response) {
  const path = request.url.split("?")[0];
  if (orders[path]) {
    response.setHeader("Content-Type", "application/json");
    return response.end(JSON.stringify(await orders[path](await bodyOf(request))));
  }
  asked[path] = (asked[path] ?? 0) + 1;
  if (outage) {
    response.statusCode = 503;
    return response.end();
  }
  if (foreignKeys && path === "/.well-known/openid-configuration") {
    const own = (name) => `${issuer}${name}`;
    response.setHeader("Content-Type", "application/json");
    return response.end(JSON.stringify({
      issuer, authorization_endpoint: own("/auth"), token_endpoint: own("/token"), userinfo_endpoint: own("/me"),
      jwks_uri: foreignKeys, code_challenge_methods_supported: ["S256"],
    }));
  }
  return provider.callback()(request, response);
}

const elsewhere = createServer(answer).listen(0, "127.0.0.1", () => {
  createServer(answer).listen(port, "127.0.0.1", () => console.log(`ready ${issuer}`));
});
process.on("SIGTERM", () => process.exit(0));
