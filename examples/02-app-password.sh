#!/usr/bin/env bash
# An app password for a mail program: two-step on, one password for one program, shown once, listed, revoked. Everything
# happens in a temporary folder that is gone at the end.
set -euo pipefail
umask 077

PASSLESS_HOME=$(mktemp -d)
export PASSLESS_HOME
trap 'rm -rf "$PASSLESS_HOME"' EXIT

say() { printf '\n== %s\n' "$*"; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
code_of_app() { # RFC 6238, see 01-go-passwordless.sh
    python3 -c '
import base64, hmac, struct, sys, time
seed = base64.b32decode(sys.stdin.read().strip())
digest = hmac.digest(seed, struct.pack(">Q", int(time.time()) // 30), "sha1")
number = struct.unpack_from(">I", digest, digest[-1] & 15)[0] & 0x7FFFFFFF
print(f"{number % 1_000_000:06}")'
}

say "an account with a password, an authenticator app and a recovery code"
passless profile set local --vault file --json | field name
head -c 24 /dev/urandom | base64 >"$PASSLESS_HOME/password"
passless account create ada --password-file "$PASSLESS_HOME/password" --json | field account
passless method add totp --begin --json >"$PASSLESS_HOME/begun"
field secret <"$PASSLESS_HOME/begun" | code_of_app |
    passless method add totp --finish "$(field ceremony <"$PASSLESS_HOME/begun")" --code-file - --json | field applied
passless recovery-code new --yes --json | field code >"$PASSLESS_HOME/recovery-code" # --yes: it is saved, we just did

say "app passwords exist only while two-step is on: refused, with status 4"
status=0
passless app-password create "Mail on phone" --for imap,smtp || status=$?
test "$status" = 4

say "turn two-step on"
passless two-step on --yes --json | field applied

say "an app password needs a proof as strong as the strongest way in, so prove the password as well"
passless sign-in --with password --password-file "$PASSLESS_HOME/password" --json | field account

say "make it, for two services and 90 days; this is the only time it is shown"
passless app-password create "Mail on phone" --for imap,smtp --expires 90d --json >"$PASSLESS_HOME/made"
echo "$(field name <"$PASSLESS_HOME/made"): $(field secret <"$PASSLESS_HOME/made" | tr 'a-z' '*')"

say "list what there is"
passless app-password list

say "revoke it: it stops working at once"
passless app-password revoke "Mail on phone" --yes --json | field applied
test "$(passless app-password list --json)" = "[]"
