#!/usr/bin/env bash
# Mail with app passwords: a passless server, Dovecot that asks it, and a mail program that signs in with an app password and is
# thrown out within a second of `passless app-password revoke`. As root or as anybody; everything happens in a temporary folder
# and on the loopback, nothing of /etc is read or written, and all of it is gone at the end.
set -euo pipefail
usage() { echo "usage: bash examples/mail-server/run.sh"; }
case "$*" in
    "") ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 64 ;;
esac
umask 077
export PATH=$PATH:/usr/sbin
command -v dovecot >/dev/null || { echo "Dovecot is missing: apt-get install dovecot-imapd" >&2; exit 69; }

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
chmod 711 "$work"
export PASSLESS_HOME=$work/home
mkdir "$PASSLESS_HOME" "$work/desk"
running=()
stop() {
    for one in "${running[@]}"; do kill "$one" 2>/dev/null && wait "$one" || true; done
    rm -rf "$work"
}
trap stop EXIT

say() { printf '\n== %s\n' "$*"; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
free_port() { python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
until_it_says() { # FILE WORDS
    for _ in $(seq 600); do
        if grep -q "$2" "$1" 2>/dev/null; then return; fi
        sleep 0.1
    done
    cat "$1" >&2
    return 1
}
code_of_app() { # RFC 6238
    python3 -c '
import base64, hmac, struct, sys, time
seed = base64.b32decode(sys.stdin.read().strip())
digest = hmac.digest(seed, struct.pack(">Q", int(time.time()) // 30), "sha1")
number = struct.unpack_from(">I", digest, digest[-1] & 15)[0] & 0x7FFFFFFF
print(f"{number % 1_000_000:06}")'
}

say "an account, and an address that stands for it"
server=http://localhost:$(free_port)
passless profile add host --store "sqlite:///$work/accounts.sqlite" --vault file --json >"$work/done"
head -c 24 /dev/urandom | base64 >"$work/desk/password"
passless account create ada --email ada@example.org --profile host --password-file "$work/desk/password" --json >"$work/done"

say "the mail server is registered: passless writes what Dovecot reads, and has Dovecot judge it"
mkdir -m 755 "$work/mail" "$work/dovecot" "$work/asking"
passless relying-party add mail --kind dovecot --to "$work/dovecot" --socket "unix:$work/asking/mail.sock" --server "$server" \
    --profile host --json >"$work/desk/made"
field secret <"$work/desk/made" >"$work/desk/secret"
chmod 644 "$work"/dovecot/*.ext
cat "$work/dovecot/passless-mail.conf.ext"

say "the server"
group=$(id -gn)
if [ "$(id -u)" = 0 ]; then group=dovecot; fi
passless serve --profile host --listen "127.0.0.1:${server##*:}" --url "$server" --socket "mail=unix:$work/asking/mail.sock?group=$group" \
    >"$work/serve.log" 2>&1 &
running+=($!)
until_it_says "$work/serve.log" '"ready"'
passless profile add mine --server "$server" --vault file --json >"$work/done"
passless profile use mine --json >"$work/desk/chosen"

say "Dovecot, with a configuration of its own that includes the other"
port=$(free_port)
owner=nobody owners=nogroup
if [ "$(id -u)" = 0 ]; then chown "$owner:$owners" "$work/mail"; else owner=$(id -un) owners=$group; fi
{
    case "$(dovecot --version)" in
    2.3.*) cat "$here/dovecot-2.3.conf" ;;
    *) cat "$here/dovecot-2.4.conf" ;;
    esac
    printf 'base_dir = %s/run\nstate_dir = %s/state\nlog_path = %s/dovecot.log\n' "$work" "$work" "$work"
    printf 'mail_uid = %s\nmail_gid = %s\nservice imap-login {\n  inet_listener imap {\n    port = %s\n  }\n}\n' "$owner" "$owners" "$port"
    if [ "$(id -u)" != 0 ]; then
        printf 'default_internal_user = %s\ndefault_internal_group = %s\ndefault_login_user = %s\n' "$owner" "$owners" "$owner"
        printf 'service anvil {\n  chroot =\n}\nservice imap-login {\n  chroot =\n}\n'
    fi
    echo "!include $work/dovecot/passless-mail.conf.ext"
} | sed "s|WORK|$work|" >"$work/dovecot/dovecot.conf"
dovecot -F -c "$work/dovecot/dovecot.conf" >"$work/dovecot.out" 2>&1 &
running+=($!)
until (exec 4<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    kill -0 "${running[1]}" || { cat "$work/dovecot.out" "$work/dovecot.log" >&2; exit 69; }
    sleep 0.1
done
dovecot --version

say "beside Dovecot: what let somebody in no longer does, so they are thrown out at once"
CONFIG_FILE="$work/dovecot/dovecot.conf" passless relying-party watch "$(field id <"$work/desk/made")" --server "$server" \
    --secret-file "$work/desk/secret" >"$work/watch.log" 2>&1 &
running+=($!)
until_it_says "$work/watch.log" "watching for"

say "ada turns two-step on: a password and an authenticator app"
passless sign-in --account ada --with password --password-file "$work/desk/password" --json >"$work/done"
passless method add totp --begin --json >"$work/desk/begun"
field secret <"$work/desk/begun" | code_of_app |
    passless method add totp --finish "$(field ceremony <"$work/desk/begun")" --code-file - --json >"$work/done"
passless recovery-code new --yes --json | field code >"$work/desk/recovery-code" # --yes: it is saved, we just did
passless two-step on --yes --json >"$work/done"

say "and makes an app password for her mail program"
passless app-password create "Mail on phone" --for imap,smtp --json >"$work/desk/app"
field secret <"$work/desk/app" >"$work/desk/app-password"

say "the mail program signs in with her address, and stays"
python3 "$here/mail_program.py" "$port" ada@example.org "$work/desk/app-password" >"$work/program.log" 2>&1 &
program=$!
until_it_says "$work/program.log" "signed in"
cat "$work/program.log"

say "she revokes it"
passless app-password revoke "Mail on phone" --yes --json >"$work/done"
revoked=$(date +%s%N)
wait "$program"
took=$(($(date +%s%N) - revoked))
took=$((took > 0 ? took / 1000000 : 0))
tail -n 1 "$work/program.log"
echo "the connection ended within $took ms of the revoking"

say "it opens nothing any more"
if python3 "$here/mail_program.py" "$port" ada@example.org "$work/desk/app-password" 2>"$work/desk/refused"; then exit 1; fi
tail -n 1 "$work/desk/refused"

say "done"
