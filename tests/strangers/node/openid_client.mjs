// An OpenID Connect client of other people's making, which does what it is told. Its wish comes as an argument; then each line
// on standard input is a command in JSON, and each gets one line of JSON: what came of it, or {"error", "message"}.
//
//   node openid_client.mjs '{"issuer": URL, "id": ID, "secret": SECRET, "redirect_uri": URI, "scope": "openid …"}'

import * as client from "openid-client";
import * as jose from "jose";
import { createInterface } from "node:readline";

const wish = JSON.parse(process.argv[2]);
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
const proof = wish.secret ? client.ClientSecretBasic(wish.secret) : client.None();
const options = { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] }; // the test's server is on localhost
const config = await client.discovery(new URL(wish.issuer), wish.id, undefined, proof, options);
const metadata = config.serverMetadata();
let asked = {};
let tokens = {};

const told = (given) => {
  tokens = { ...given };
  return { ...given, claims: given.claims() ?? null };
};

const does = {
  async metadata() {
    return metadata;
  },
  // Where to send the browser; `more` are further parameters.
  async begin({ more = {} }) {
    asked = {
      pkceCodeVerifier: client.randomPKCECodeVerifier(),
      expectedState: client.randomState(),
      expectedNonce: client.randomNonce(),
      idTokenExpected: true,
    };
    if (more.max_age !== undefined) asked.maxAge = Number(more.max_age);
    const address = client.buildAuthorizationUrl(config, {
      redirect_uri: wish.redirect_uri,
      scope: wish.scope,
      state: asked.expectedState,
      nonce: asked.expectedNonce,
      code_challenge: await client.calculatePKCECodeChallenge(asked.pkceCodeVerifier),
      code_challenge_method: "S256",
      ...more,
    });
    return { address: address.href, state: asked.expectedState };
  },
  // What the browser brought back, checked against what was asked, or against something else.
  async finish({ back, instead = {} }) {
    return told(await client.authorizationCodeGrant(config, new URL(back), { ...asked, ...instead }));
  },
  async begin_device() {
    asked = await client.initiateDeviceAuthorization(config, { scope: wish.scope });
    return { user_code: asked.user_code, address: asked.verification_uri };
  },
  async poll() {
    return told(await client.pollDeviceAuthorizationGrant(config, asked));
  },
  async userinfo({ sub, token }) {
    return client.fetchUserInfo(config, token ?? tokens.access_token, sub ?? client.skipSubjectCheck);
  },
  async refresh({ token }) {
    return told(await client.refreshTokenGrant(config, token ?? tokens.refresh_token));
  },
  async introspect({ token }) {
    return client.tokenIntrospection(config, token ?? tokens.access_token);
  },
  async revoke({ token }) {
    await client.tokenRevocation(config, token ?? tokens.access_token);
    return {};
  },
  async leave({ more = {} }) {
    return { address: client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, ...more }).href };
  },
  // The same token again, judged by another library.
  async judge({ token, audience, typ }) {
    const keys = jose.createRemoteJWKSet(new URL(metadata.jwks_uri));
    const rules = { issuer: metadata.issuer, audience: audience ?? wish.id, typ };
    const { payload, protectedHeader } = await jose.jwtVerify(token, keys, rules);
    return { payload, header: protectedHeader };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    say(await does[command.do](command));
  } catch (error) {
    say({ error: error.error ?? error.code ?? error.message, message: String(error.cause?.message ?? error.message) });
  }
}
