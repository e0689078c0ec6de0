#!/usr/bin/env bash
# What would be left after a loss: one device, two at once, and a gate that a nightly job could be. Nothing is changed by
# asking. Everything happens in a temporary folder that is gone at the end.
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
add_app() { # add_app DEVICE
    passless method add totp --begin --device "$1" --name "app on $1" --json >"$PASSLESS_HOME/begun"
    field secret <"$PASSLESS_HOME/begun" | code_of_app |
        passless method add totp --finish "$(field ceremony <"$PASSLESS_HOME/begun")" --code-file - --json | field applied
}

say "an account without a password: one app on the phone, one on a tablet"
passless profile set local --vault file --json | field name
passless account create ada --no-password --json | field account
add_app phone
add_app tablet

say "lose the phone"
passless what-if --lose device:phone

say "lose the phone and the tablet together"
passless what-if --lose device:phone --lose device:tablet

say "every loss of one and of two things, as JSON: who is locked out by what?"
locked_out() {
    passless what-if --json | python3 -c '
import json, sys
for loss in json.load(sys.stdin):
    if not loss["survives"]:
        print(" and ".join(loss["lost"]))'
}
locked_out
test "$(locked_out)" = "device:phone and device:tablet"

say "make a recovery code, and look again"
passless recovery-code new --yes --json | field code >"$PASSLESS_HOME/recovery-code"
test -z "$(locked_out)"
echo "no loss of one or two things locks ada out"
