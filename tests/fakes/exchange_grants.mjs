// Two grants for the provider of idp.mjs: it exchanges tokens (RFC 8693), also for identity assertions (ID-JAG), and as
// the authorization server of a resource it takes such assertions of an issuer that it was told to trust (RFC 7523).
//   /test/exchange {...}      how it exchanges from now on: a part of `usual` below
//   /test/exchanged {}        what it was asked, oldest first: parameters without the tokens, and `answer`
//   /test/trust {issuer}      whose assertions it takes as a resource's authorization server
import { createHash, createPublicKey, randomUUID, verify } from "node:crypto";

const type = (name) => `urn:ietf:params:oauth:token-type:${name}`;
const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const usual = () => ({
  away: false, // the exchange alone answers 503
  clients: ["exchanger"], // those that may exchange
  takes: ["access_token", "id_token"], // kinds of subject tokens
  refuses_scope: false,
  needs_scope: false,
  refuses_resource: false,
  audiences: null, // those that there are; null for all
  lifetime: 300, // seconds of what it gives; 0: it does not say, and gives 300
  refuses: "", // an error of RFC 6749 that every exchange is answered with
  holds: false, // answers wait until this is false again
  client_ids: {}, // of an audience: who the client is there, in assertions; else the client's name here
});

export const exchangeClients = [
  { client_id: "exchanger", client_secret: "another secret", redirect_uris: [], response_types: [], grant_types: [EXCHANGE] },
  {
    client_id: "poster", client_secret: "in the body", redirect_uris: [], response_types: [], grant_types: [EXCHANGE, BEARER],
    token_endpoint_auth_method: "client_secret_post",
  },
  { client_id: "at-server", client_secret: "of the server", redirect_uris: [], response_types: [], grant_types: [BEARER] },
];

export class ExchangeGrants {
  // `signed` makes a token of {claims, header}; `keys` gives the provider's keys of now, `person` the claims of one.
  constructor(issuer, errors, signed, keys, person) {
    Object.assign(this, { issuer, errors, signed, keys, person });
    this.reset();
  }

  reset() {
    this.how = usual();
    this.asked = [];
    this.trusted = null;
  }

  orders() {
    return {
      "/test/exchange": (how) => Object.assign(this.how, how),
      "/test/exchanged": () => ({ asked: this.asked }),
      "/test/trust": (trusted) => ({ trusted: (this.trusted = trusted) }),
    };
  }

  register(provider) {
    const asked = ["subject_token", "subject_token_type", "requested_token_type", "audience", "resource", "scope",
      "actor_token", "actor_token_type", "extra"];
    provider.registerGrantType(EXCHANGE, (ctx) => this.noted(ctx, this.exchanged(ctx, provider)), asked, ["audience", "resource"]);
    const onBehalf = (ctx) => ctx.oidc.params.requested_token_use === "on_behalf_of"; // as Entra calls an exchange
    provider.registerGrantType(BEARER, (ctx) => this.noted(ctx, onBehalf(ctx) ? this.exchanged(ctx, provider) : this.byAssertion(ctx)),
      ["assertion", "scope", "resource", "requested_token_use"]);
  }

  async noted(ctx, answering) {
    const { subject_token, assertion, client_secret, client_assertion, ...plain } = ctx.oidc.params;
    const told = { ...Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined)),
      client: ctx.oidc.client.clientId, answer: "" };
    this.asked.push(told);
    try {
      await answering;
      told.answer = String(ctx.status);
    } catch (error) {
      told.answer = error.error ?? String(error);
      throw error;
    }
  }

  async exchanged(ctx, provider) {
    const { how, errors } = this;
    const { requested_token_type, audience, resource, scope } = ctx.oidc.params;
    const client_id = ctx.oidc.client.clientId;
    while (this.how.holds) await new Promise((later) => setTimeout(later, 5));
    if (how.away) {
      ctx.status = 503;
      ctx.body = "";
      return;
    }
    if (how.refuses) throw new errors.CustomOIDCProviderError(how.refuses, "as the test wants it");
    if (!how.clients.includes(client_id)) throw new errors.UnauthorizedClient("this client may not exchange tokens");
    const subject_token = ctx.oidc.params.subject_token ?? ctx.oidc.params.assertion;
    const subject_token_type = ctx.oidc.params.subject_token_type ?? type("access_token");
    if (!how.takes.some((kind) => subject_token_type === type(kind))) throw new errors.InvalidRequest("not this kind of subject token");
    if (how.refuses_scope && scope) throw new errors.InvalidScope("no scope is taken here", scope);
    if (how.needs_scope && !scope) throw new errors.InvalidScope("a scope is needed", "");
    if (how.refuses_resource && resource) throw new errors.InvalidTarget("no resource is taken here");
    if (how.audiences && !how.audiences.includes(audience)) throw new errors.InvalidTarget("there is no such audience");
    const subject = await this.subject(subject_token, subject_token_type, provider);
    const person = this.person(subject.sub);
    if (!person) throw new errors.InvalidGrant("the person is gone");
    const { email } = person;
    const exp = Math.floor(Date.now() / 1000) + (how.lifetime || 300);
    const assertion = requested_token_type === type("id-jag");
    const made_of = createHash("sha256").update(subject_token).digest("hex"); // so that a test sees whose it was
    const claims = assertion
      ? { sub: subject.sub, email, email_verified: true, aud: audience, client_id: how.client_ids[audience] ?? client_id, resource, scope, exp, made_of }
      : { sub: subject.sub, email, aud: audience ?? resource, client_id, scope, exp, made_of, act: { sub: client_id } };
    ctx.body = {
      issued_token_type: type(assertion ? "id-jag" : "access_token"),
      token_type: assertion ? "N_A" : "Bearer",
      ...(how.lifetime ? { expires_in: how.lifetime } : {}),
      ...(scope ? { scope } : {}),
      access_token: this.signed({ claims, header: { typ: assertion ? "oauth-id-jag+jwt" : "at+jwt" } }),
    };
  }

  async subject(subject_token, subject_token_type, provider) {
    const kept = await provider.AccessToken.find(subject_token);
    if (kept) {
      const grant = kept.isValid && (await provider.Grant.find(kept.grantId));
      if (!grant || subject_token_type !== type("access_token")) throw new this.errors.InvalidGrant("the token has ended");
      return { sub: kept.accountId };
    }
    return this.checked(subject_token, this.issuer, this.keys());
  }

  async byAssertion(ctx) {
    const { assertion, scope, resource } = ctx.oidc.params;
    const client_id = ctx.oidc.client.clientId;
    while (this.how.holds) await new Promise((later) => setTimeout(later, 5));
    if (this.how.refuses) throw new this.errors.CustomOIDCProviderError(this.how.refuses, "as the test wants it");
    if (!this.trusted) throw new this.errors.InvalidGrant("nobody's assertions are taken here");
    const told = await (await fetch(`${this.trusted.issuer}/.well-known/openid-configuration`)).json();
    const { keys } = await (await fetch(told.jwks_uri)).json();
    const claims = this.checked(assertion, this.trusted.issuer, keys, "oauth-id-jag+jwt");
    if (claims.aud !== this.issuer) throw new this.errors.InvalidGrant("the assertion is for somebody else");
    if (claims.client_id !== client_id) throw new this.errors.InvalidGrant("the assertion is another client's");
    if (this.how.refuses_scope && scope) throw new this.errors.InvalidScope("no scope is taken here", scope);
    const exp = Math.floor(Date.now() / 1000) + (this.how.lifetime || 300);
    ctx.body = {
      token_type: "Bearer",
      ...(this.how.lifetime ? { expires_in: this.how.lifetime } : {}),
      access_token: this.signed({ claims: {
        sub: `${claims.sub}@${claims.iss}`, email: claims.email, aud: resource ?? claims.resource, client_id,
        scope: scope ?? claims.scope, exp, jti: randomUUID(), made_of: claims.made_of,
      } }),
    };
  }

  checked(token, issuer, keys, typ) {
    const bad = (why) => new this.errors.InvalidGrant(why);
    const [head, body, signature] = token.split(".");
    if (!signature) throw bad("the token is not known");
    const [header, claims] = [head, body].map((part) => JSON.parse(Buffer.from(part, "base64url")));
    const jwk = keys.find(({ kid }) => kid === header.kid);
    if (!jwk || header.alg !== "RS256") throw bad("the token is signed with another key");
    const key = createPublicKey({ key: { kty: jwk.kty, n: jwk.n, e: jwk.e }, format: "jwk" });
    const holds = verify("RSA-SHA256", Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"));
    if (!holds || claims.iss !== issuer) throw bad("the token is not of this issuer");
    if (!(claims.exp > Date.now() / 1000)) throw bad("the token has ended");
    if (typ && header.typ !== typ) throw bad("the token is of another type");
    return claims;
  }
}
