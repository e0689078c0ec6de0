"""What a person needs to use a key of their account outside of a browser: by ssh, and by pam_u2f."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless.cli import outside_files
from passless.domain.errors import NotFound, WrongUse
from passless.domain.key_views import HardwareKeyView, KeyMapping, SshKeyWritten
from passless.domain.names import are_same, printable

if TYPE_CHECKING:
    from passless.cli.context import Run

PUBLIC = ".pub"  # what ssh calls the public half, behind the name of the private one
SEPARATORS = frozenset(":,\n\r\0#")  # what takes a line of pam_u2f apart


class NoSuchKey(NotFound):
    """No key of that name that ssh could ask."""

    code = "no-such-key"
    hint = "ssh asks keys that are plugged in: add one with passless method add security-key"


class BadUser(WrongUse):
    """A name that no user of a host has."""

    code = "bad-user"
    hint = "name the user of the host: --user NAME"


def write_ssh_key(run: Run, words: str, to: str) -> SshKeyWritten:
    """Write the two files with which ssh signs with a key of the account."""
    from passless.credentials.ssh_keys import private_file, ssh_key

    found = _one_of(run, words)
    key = ssh_key(found.public_key, found.rp_id)
    comment = f"passless-{found.id}"
    private = private_file(key, found.rp_id, found.credential_id, verify=found.two_factor, comment=comment)
    for path in (to, to + PUBLIC):
        outside_files.may_write(run, path)
    written = (
        outside_files.write(to, private, what="key file"),
        outside_files.write(to + PUBLIC, f"{key.encoded} {comment}\n".encode(), what="public key file"),
    )
    if not found.opens_hosts:
        run.note(f'hosts do not take "{found.name}" now: see docs/relying-parties/ssh.md, "which keys"')
    return SshKeyWritten(
        method=found.id,
        name=found.name,
        type=key.type,
        application=found.rp_id,
        verify_required=found.two_factor,
        public_key=key.encoded,
        written=tuple(path for path in written if path is not None),
    )


def mapping_of(run: Run, user: str | None, *, finger: bool) -> KeyMapping:
    """Return the line of pam_u2f for the keys of the account that are ways in of their own."""
    from passless.credentials.ssh_keys import mapping, ssh_key

    account = run.view().account
    name = account if user is None else user
    if not name.isascii() or not name.isprintable() or SEPARATORS.intersection(name) or not name.strip() or " " in name:
        raise BadUser(f'"{printable(name)}" cannot stand in a mapping of pam_u2f')
    keys = [one for one in _keys(run) if one.opens_hosts]
    if not keys:
        raise NoSuchKey("the account has no key that lets somebody in by itself")
    how = "verification" if finger else "pin"
    written = [
        mapping(ssh_key(one.public_key, one.rp_id), one.credential_id, verify=how if one.two_factor else "") for one in keys
    ]
    return KeyMapping(
        account=account,
        user=name,
        origin=keys[0].rp_id,
        keys=tuple(one.name for one in keys),
        line=":".join((name, *written)),
    )


def _keys(run: Run) -> tuple[HardwareKeyView, ...]:
    return run.ask(lambda directory, actor, target: directory.hardware_keys(actor, target))


def _one_of(run: Run, words: str) -> HardwareKeyView:
    everything = _keys(run)
    found = [one for one in everything if one.id == words] or [one for one in everything if are_same(one.name, words)]
    if len(found) != 1:
        raise NoSuchKey(f'there is no security key "{printable(words)}" on the account')
    return found[0]
