// An authenticator of other people's making, for one answer: what `passless … --begin --json` printed comes in on standard
// input, the answer for `--response-file -` goes out.
//
//   node authenticator.js '{"folder": DIR, "algorithm": "ES256", "verifies": true, "counts": 1, "origin": URL}'
//
// Its credentials stay in DIR, so that another process finds them again. `origin` stands in for the one that begin printed.

const fs = require("node:fs");

// After every answer the emulator deletes a credential and saves it again with its new counter, and does not wait for the
// deleting, which then sometimes takes the file that was saved after it. Here it is done at once.
fs.unlink = (path, done) => done(fs.rmSync(path, { force: true }));

const { default: WebAuthnEmulator, AuthenticatorEmulator, PasskeysCredentialsFileRepository } = require("nid-webauthn-emulator");

const wish = JSON.parse(process.argv[2]);
const touched = () => ({ options: { up: true, uv: wish.verifies } });
const emulator = new WebAuthnEmulator(
  new AuthenticatorEmulator({
    algorithmIdentifiers: [wish.algorithm],
    signCounterIncrement: wish.counts,
    verifications: { userPresent: true, userVerified: wish.verifies },
    userMakeCredentialInteraction: touched,
    userGetAssertionInteraction: touched,
    credentialsRepository: new PasskeysCredentialsFileRepository(wish.folder),
  }),
);

const begun = JSON.parse(fs.readFileSync(0, "utf8"));
const origin = wish.origin ?? begun.origin;
const answer = begun.publicKey.user ? emulator.createJSON(origin, begun.publicKey) : emulator.getJSON(origin, begun.publicKey);
process.stdout.write(JSON.stringify(answer));
