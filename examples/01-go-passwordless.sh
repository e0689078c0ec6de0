#!/usr/bin/env bash
# From nothing to passwordless, unattended: an account with a password, an authenticator app, a recovery code, and then no
# password any more. Everything happens in a temporary folder that is gone at the end.
#
# The codes of the app are computed below with Python's standard library. With a real app you would read them off the phone.
set -euo pipefail
umask 077

PASSLESS_HOME=$(mktemp -d)
export PASSLESS_HOME
trap 'rm -rf "$PASSLESS_HOME"' EXIT

say() { printf '\n== %s\n' "$*"; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; } # one field of a JSON document

# RFC 6238: the seed in base 32 comes in, six digits come out.
code_of_app() {
    python3 -c '
import base64, hmac, struct, sys, time
seed = base64.b32decode(sys.stdin.read().strip())
digest = hmac.digest(seed, struct.pack(">Q", int(time.time()) // 30), "sha1")
number = struct.unpack_from(">I", digest, digest[-1] & 15)[0] & 0x7FFFFFFF
print(f"{number % 1_000_000:06}")'
}

say "keep the vault key in a file of this folder, not in the system's keyring"
passless profile set local --vault file --json | field name

say "make an account with a password"
head -c 24 /dev/urandom | base64 >"$PASSLESS_HOME/password" # a file, because a secret is never an argument
passless account create ada --password-file "$PASSLESS_HOME/password" --json | field account

say "add an authenticator app: begin shows the seed, finish takes a code that proves it"
passless method add totp --begin --json >"$PASSLESS_HOME/begun"
field secret <"$PASSLESS_HOME/begun" | code_of_app |
    passless method add totp --finish "$(field ceremony <"$PASSLESS_HOME/begun")" --code-file - --json | field applied

say "without a recovery code, losing the phone would lock ada out: the change is refused, with status 4"
status=0
passless passwordless on --yes || status=$?
test "$status" = 4

say "make a recovery code, keep it, and type it back"
passless recovery-code new --json | field code >"$PASSLESS_HOME/recovery-code"
passless recovery-code confirm --code-file "$PASSLESS_HOME/recovery-code" --json | field applied

say "now the plan is accepted"
passless passwordless on --dry-run

say "delete the password"
passless passwordless on --yes --json | field applied

say "done"
passless status
test "$(passless status --json | field passwordless)" = True
