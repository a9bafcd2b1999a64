// A preload for the conformance suite, which has no option for a bearer token: each request that it makes to
// ARCHWAY_HOST says ARCHWAY_TOKEN, unless it says another. The suite has three ways to make one: fetch, node:http, undici.
import http from "node:http";
import { createRequire, syncBuiltinESMExports } from "node:module";

const host = process.env.ARCHWAY_HOST;
const bearer = `Bearer ${process.env.ARCHWAY_TOKEN}`;

const fetchAsItWas = globalThis.fetch;
globalThis.fetch = (input, init = {}) => {
  const url = new URL(input instanceof Request ? input.url : String(input));
  const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined));
  if (url.host === host && !headers.has("authorization")) headers.set("authorization", bearer);
  return fetchAsItWas(input, { ...init, headers });
};

const requestAsItWas = http.request;
http.request = (options, ...more) => {
  const ours = `${options.hostname}:${options.port}` === host;
  return requestAsItWas(ours ? { ...options, headers: { authorization: bearer, ...options.headers } } : options, ...more);
};
syncBuiltinESMExports();

const undici = createRequire(process.env.ARCHWAY_SUITE)("undici");
undici.setGlobalDispatcher(
  undici.getGlobalDispatcher().compose((dispatch) => (options, handler) => {
    // A request by fetch gives its headers as a list, and has the token already.
    const ours = new URL(options.origin).host === host && !Array.isArray(options.headers);
    return dispatch(ours ? { ...options, headers: { authorization: bearer, ...options.headers } } : options, handler);
  }),
);
