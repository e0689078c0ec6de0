#!/usr/bin/env bash
# A web app that people sign in to with passless, from nothing: a passless server, Apache with mod_auth_openidc in front of a page,
# an account, a sign-in, and the way out: whoever ends a session or takes a method off is out of the app within a second.
#
#   bash examples/web-app/run.sh             look at it in your own browser; Enter ends it
#   bash examples/web-app/run.sh --alone     no browser is needed: browser.py signs in and is thrown out
#
# Needs Debian's apache2-bin and libapache2-mod-auth-openidc. Everything happens in a temporary folder that is gone at the end.
set -euo pipefail
usage() { echo "usage: bash examples/web-app/run.sh [--alone]"; }
case "$*" in
    "" | --alone) ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 64 ;;
esac
umask 077

here=$(cd "$(dirname "$0")" && pwd)
modules=${APACHE_MODULES:-/usr/lib/apache2/modules}
apache=$(PATH=$PATH:/usr/sbin command -v apache2) && [ -e "$modules/mod_auth_openidc.so" ] || {
    echo "install what is missing: apt-get install apache2-bin libapache2-mod-auth-openidc" >&2
    exit 69
}
work=$(mktemp -d)
export PASSLESS_HOME=$work/passless
running=()
stop() {
    for one in "${running[@]}"; do kill "$one" 2>/dev/null && wait "$one" || true; done
    rm -rf "$work"
}
trap stop EXIT

say() { printf '\n== %s\n' "$*"; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
free_port() { python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

say "a passless server, with accounts for everybody who asks"
mkdir -p "$PASSLESS_HOME"
server=http://localhost:$(free_port)
app=http://127.0.0.1:$(free_port)
mkfifo "$work/said"
passless serve --store "sqlite:///$work/accounts.sqlite" --vault-key-file "$work/vault.key" --sign-up open \
    --listen "127.0.0.1:${server##*:}" --url "$server" >"$work/said" 2>&1 &
running+=($!)
exec 3<"$work/said"
until IFS= read -r line <&3 && [[ $line == *'"ready"'* ]]; do [ -n "${line:-}" ] || exit 69; done
cat <&3 >"$work/server.log" &
passless profile add host --store "sqlite:///$work/accounts.sqlite" --vault file --json >"$work/done"
passless profile add site --server "$server" --vault file --json >"$work/done"
echo "$server"

say "the app is registered: where people come back to, and where it is told of sessions that ended"
passless relying-party add "A web app" --kind oidc --redirect-uri "$app/app/redirect_uri" --after-sign-out "$app/bye/" \
    --told-at "$app/app/redirect_uri?logout=backchannel" --profile host --yes --json >"$work/made"

say "Apache, which asks passless who people are"
mkdir -p "$work/apache/cache" "$work/apache/pages/app" "$work/apache/pages/bye"
cp "$here/apache.conf" "$work/apache/"
cp "$here/index.shtml" "$work/apache/pages/app/"
echo '<!DOCTYPE html><title>A web app</title><h1>Good bye</h1><p><a href="/app/">Sign in again</a>' >"$work/apache/pages/bye/index.shtml"
{
    echo "OIDCClientSecret $(field secret <"$work/made")"
    echo "OIDCCryptoPassphrase $(head -c 24 /dev/urandom | base64)"
} >"$work/apache/secret.conf"
{
    echo "Define MODULES $modules"
    echo "Define FOLDER $work/apache"
    echo "Define SERVER $server"
    echo "Define APP $app"
    echo "Define PORT ${app##*:}"
    echo "Define CLIENT_ID $(field id <"$work/made")"
    if [ "$(id -u)" = 0 ]; then printf 'User nobody\nGroup nogroup\n'; fi
} >"$work/apache/settings.conf"
if [ "$(id -u)" = 0 ]; then # Apache's workers are then somebody else
    chmod 711 "$work"
    chown -R nobody:nogroup "$work/apache"
fi
"$apache" -d "$work/apache" -f "$work/apache/apache.conf" -C "Include $work/apache/settings.conf" -DFOREGROUND 2>>"$work/apache/error.log" &
running+=($!)
until (exec 4<>"/dev/tcp/127.0.0.1/${app##*:}") 2>/dev/null; do kill -0 "${running[1]}" || { cat "$work/apache/error.log" >&2; exit 69; }; done
echo "$app/app/"

if [ "${1:-}" != --alone ]; then
    say "try it"
    cat <<TEXT
Open $app/app/ in a browser: it takes you to passless to sign in. There is no account yet; make one in another terminal:

    export PASSLESS_HOME=$PASSLESS_HOME
    passless account create ada --profile site

or go to $server, and add a passkey there if you like. Then, in that terminal, throw yourself out and load the page again:

    passless session list --profile site
    passless session end ID --profile site
TEXT
    read -r -p "Press Enter to end everything. "
    exit
fi

browser() { python3 "$here/browser.py" "$1" "$app/app/" --cookies "$work/cookies" "${@:2}"; }
thrown_out_by() { # run a command while the browser asks for the page, and say how long after it the app had them out
    browser until-out >"$work/out" &
    local asking=$!
    "$@" >"$work/done"
    local done_at
    done_at=$(date +%s.%N)
    wait $asking
    python3 -c '
import sys
late = float(sys.argv[1]) - float(sys.argv[2])
print("out of the app", "before the command had ended" if late < 0 else f"{late:.2f} s later")' "$(cat "$work/out")" "$done_at"
}
code_of_app() { # of the step `$1` steps ago; RFC 6238
    python3 -c '
import base64, hmac, struct, sys, time
seed = base64.b32decode(sys.stdin.read().strip())
digest = hmac.digest(seed, struct.pack(">Q", int(time.time()) // 30 - int(sys.argv[1])), "sha1")
number = struct.unpack_from(">I", digest, digest[-1] & 15)[0] & 0x7FFFFFFF
print(f"{number % 1_000_000:06}")' "$1"
}
opened_by_app() { # the id of the browser's session at passless
    passless session list --profile site --json | python3 -c '
import json, sys
print(next(one["id"] for one in json.load(sys.stdin) if one["through"] == "browser"))'
}

say "ada makes an account, with a password and an authenticator app"
head -c 24 /dev/urandom | base64 >"$work/password"
passless account create ada --password-file "$work/password" --profile site --json >"$work/done"
passless method add totp --begin --profile site --json >"$work/begun"
field secret <"$work/begun" >"$work/seed"
add_app() { # with the code of the step before, for each is good once
    code_of_app 1 <"$work/seed" |
        passless method add totp --finish "$(field ceremony <"$work/begun")" --code-file - --profile site --json >"$work/done"
}
add_app || add_app # a step that ends on the way makes that code too old

say "ada opens the app, signs in at passless with the password, and lets the app know who she is"
browser visit --account ada --with password --secret-file "$work/password"

say "ada ends that session from a terminal"
thrown_out_by passless session end "$(opened_by_app)" --profile site --yes --json

say "she signs in again, with a code of the authenticator app, and takes that app off her account"
code_of_app 0 <"$work/seed" >"$work/code"
browser visit --account ada --with totp --secret-file "$work/code"
thrown_out_by passless method remove totp --profile site --yes --json

say "done"
