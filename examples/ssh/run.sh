#!/usr/bin/env bash
# ssh with the security key of an account: a server, a host whose sshd asks it, a person whose key lets them in, and is thrown out
# within a second of `passless method remove`. Run it as root on a machine to try things on, with a security key plugged in.
#
# It makes a user, "plexample", and a folder in /var/lib (sshd runs no program from a folder that others may change), listens on the
# loopback only, leaves /etc/ssh as it is, and takes everything away again. SSH_SK_PROVIDER: a library in the place of ssh's own for keys.
set -euo pipefail
usage() { echo "usage: bash examples/ssh/run.sh"; }
case "$*" in
    "") ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 64 ;;
esac
test "$(id -u)" = 0 || { echo "only root can make users and let sshd sign them in" >&2; exit 1; }

usable='import json, sys; sys.exit(all(one["problem"] for one in json.load(sys.stdin)))'
if ! passless key list --json | python3 -c "$usable"; then
    passless key list >&2
    echo "ssh signs with a security key: plug one in that can be used, and start this again" >&2
    exit 6
fi

user=plexample
work=$(mktemp -d /var/lib/passless-example.XXXXXX)
chmod 755 "$work"
export PASSLESS_HOME=$work/home
mkdir -m 700 "$PASSLESS_HOME" "$work/desk"
made_keys_user=no
clean_up() {
    kill "${watching:-}" "${serving:-}" "${listening:-}" 2>/dev/null || true
    wait
    userdel --remove --force "$user" 2>/dev/null || true
    if [ "$made_keys_user" = yes ]; then userdel passless-keys || true; fi
    rm -rf "$work"
}
trap clean_up EXIT

say() { printf '\n== %s\n' "$*"; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
until_it_says() { # FILE WORDS
    for _ in $(seq 600); do
        if grep -qs "$2" "$1"; then return; fi
        sleep 0.1
    done
    cat "$1" >&2
    return 1
}

say "a server"
server=http://localhost:$(free_port)
store=sqlite:///$work/accounts.sqlite
passless serve --store "$store" --vault-key-file "$work/home/vault.key" --listen "127.0.0.1:${server##*:}" >"$work/serve.log" 2>&1 &
serving=$!
until_it_says "$work/serve.log" '"ready"'
passless profile add here --store "$store" --vault file --json >"$work/done"
head -c 24 /dev/urandom | base64 >"$work/desk/password"
passless account create "$user" --profile here --password-file "$work/desk/password" --json >"$work/done"

say "a host: sshd asks the server which keys let a user in, beside the keys in files"
useradd --create-home --shell /bin/sh --password '*' "$user"
if ! id passless-keys >/dev/null 2>&1; then # what passless tells to do where it is missing
    useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin passless-keys
    made_keys_user=yes
fi
mkdir -p /run/sshd
passless relying-party add "file server" --kind ssh --to "$work" --server "$server" --profile here --json >"$work/desk/made"
field secret <"$work/desk/made" >"$work/desk/secret"
cat "$work/passless-file-server.conf"
port=$(free_port)
ssh-keygen -q -t ed25519 -N '' -f "$work/host_key"
cat >"$work/sshd_config" <<END
ListenAddress 127.0.0.1
Port $port
HostKey $work/host_key
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
Include $work/passless-file-server.conf
END
"$(command -v sshd || echo /usr/sbin/sshd)" -D -e -f "$work/sshd_config" 2>"$work/sshd.log" &
listening=$!
until_it_says "$work/sshd.log" "Server listening"

say "beside sshd: who may no longer be let in is thrown out at once"
passless relying-party watch "$(field id <"$work/desk/made")" --server "$server" --secret-file "$work/desk/secret" >"$work/watch.log" 2>&1 &
watching=$!
until_it_says "$work/watch.log" "watching for"

say "the person adds their key, touches it, and has the file written that ssh needs"
passless profile add work --server "$server" --vault file --json >"$work/done"
passless profile use work --json >"$work/desk/chosen"
passless sign-in --account "$user" --with password --password-file "$work/desk/password" --json >"$work/done"
passless method add security-key --name "blue key" --json >"$work/done"
passless method ssh-key "blue key" --to "$work/desk/id_passless"

say "ssh signs with that very key"
echo "[127.0.0.1]:$port $(cut -d ' ' -f 1,2 "$work/host_key.pub")" >"$work/desk/known_hosts"
options=(-F none -p "$port" -i "$work/desk/id_passless" -o IdentitiesOnly=yes -o IdentityAgent=none
    -o "UserKnownHostsFile=$work/desk/known_hosts" -o BatchMode=yes)
if [ -n "${SSH_SK_PROVIDER:-}" ]; then options+=(-o "SecurityKeyProvider=$SSH_SK_PROVIDER"); fi
ssh "${options[@]}" "$user@127.0.0.1" 'echo "signed in as $(id -un)"'

say "they stay signed in, and remove the key from the account"
ssh "${options[@]}" "$user@127.0.0.1" 'echo "in again"; exec sleep 600' >"$work/desk/session" 2>&1 &
session=$!
until_it_says "$work/desk/session" "in again"
passless method remove "blue key" --yes --json >"$work/done"
removed=$(date +%s%N)
wait "$session" || true
took=$((($(date +%s%N) - removed) / 1000000))
echo "the session ended $took ms after the key was removed"

say "the key lets nobody in any more"
if ssh "${options[@]}" "$user@127.0.0.1" true 2>"$work/desk/refused"; then exit 1; fi
tail -n 1 "$work/desk/refused"

say "done"
