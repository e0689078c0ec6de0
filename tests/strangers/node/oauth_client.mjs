// An OAuth 2.0 client of other people's making. Its wish comes as an argument; what it has to say goes out as lines of JSON,
// what a browser brought back comes in as a line on standard input.
//
//   node oauth_client.mjs '{"flow": "code"|"device", "issuer": URL, "id": ID, "secret": SECRET|null, "redirect_uri": URI, "scope": "…"}'

import * as client from "openid-client";
import { createInterface } from "node:readline/promises";

const wish = JSON.parse(process.argv[2]);
const lines = createInterface({ input: process.stdin });
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");

const proof = wish.secret === null ? client.None() : client.ClientSecretBasic(wish.secret);
const server = await client.discovery(new URL(wish.issuer), wish.id, undefined, proof, {
  algorithm: "oauth2",
  execute: [client.allowInsecureRequests], // the test's server is on localhost
});

async function byCode() {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const address = client.buildAuthorizationUrl(server, {
    redirect_uri: wish.redirect_uri,
    scope: wish.scope,
    state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  });
  say({ address: address.href });
  const [broughtBack] = await new Promise((resolve) => lines.once("line", (line) => resolve([line])));
  return client.authorizationCodeGrant(server, new URL(broughtBack), { pkceCodeVerifier, expectedState });
}

async function byDevice() {
  const given = await client.initiateDeviceAuthorization(server, { scope: wish.scope });
  say({ user_code: given.user_code, address: given.verification_uri, complete: given.verification_uri_complete });
  return client.pollDeviceAuthorizationGrant(server, given);
}

try {
  const tokens = await (wish.flow === "device" ? byDevice() : byCode());
  say({ tokens });
  if (wish.secret !== null) say({ introspected: await client.tokenIntrospection(server, tokens.access_token) });
  await client.tokenRevocation(server, tokens.access_token);
  if (wish.secret !== null) say({ afterwards: await client.tokenIntrospection(server, tokens.access_token) });
  say({ done: true });
} catch (error) {
  say({ error: error.error ?? error.code ?? error.message, message: String(error.cause?.message ?? error.message) });
} finally {
  lines.close();
}
