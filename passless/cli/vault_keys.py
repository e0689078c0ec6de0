"""Looking after the vault key of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless.cli import outside_files
from passless.cli.secret_files import SecretFile
from passless.directories.local import vault_care
from passless.directories.local.parts_of import kept_vault, parts_of
from passless.domain.errors import WrongUse
from passless.domain.secret import Secret
from passless.output.machine_results import VaultExported, VaultImported, VaultRotated, VaultStatus
from passless.vault import export_keys, import_keys

if TYPE_CHECKING:
    from passless.actions.parts import Parts
    from passless.cli.context import Run

COPY = "copy of the vault keys"
PASSPHRASE_FLAG = "--passphrase-file FILE"


def status(run: Run) -> VaultStatus:
    """Say where the key is and what depends on it; a missing key is told, not raised."""
    parts = parts_of(run.directory)
    state, use = kept_vault(parts).describe(), vault_care.count_use(parts.store)
    missing = sorted(use.keys - set(state.keys)) if state.ok else []
    return VaultStatus(
        profile=run.profile.name,
        store=parts.store.id,
        keeper=state.keeper,
        where=state.where,
        ok=state.ok and not missing,
        message=f'the vault key "{missing[0]}" is missing, and something is sealed under it' if missing else state.message,
        hint="bring it back from a copy: passless vault import FILE" if missing else state.hint,
        current=state.current,
        keys=state.keys,
        seals=sum(use.seals.values()),
        app_passwords=sum(use.app_passwords.values()),
    )


def export(run: Run, path: str | None, passphrase_file: SecretFile | None) -> VaultExported | None:
    """Write a copy of the keys; None where it went to standard output."""
    parts = parts_of(run.directory)
    ring = kept_vault(parts).ring()
    if not run.given.dry_run:
        outside_files.may_write(run, path)
    passphrase = new_passphrase(run, passphrase_file)
    copy = export_keys(ring, passphrase, parts.entropy)
    if run.given.dry_run:
        return VaultExported(store=ring.store_id, keys=ring.key_ids(), file="")
    where = outside_files.write(path, copy, what=COPY)
    _note(run, parts, "export-vault-keys", ring.current)
    return None if where is None else VaultExported(store=ring.store_id, keys=ring.key_ids(), file=where)


def show_copy(run: Run, made: VaultExported | None) -> None:
    """Say where the copy is; one that went to standard output is the result itself."""
    if made is not None:
        run.show(made)


def bring_back(run: Run, path: str, passphrase_file: SecretFile | None) -> VaultImported:
    """Read a copy and keep its keys beside those that are here."""
    parts = parts_of(run.directory)
    vault = kept_vault(parts)
    if path == outside_files.STREAM and passphrase_file is not None and passphrase_file.path == path:
        raise WrongUse("standard input cannot be both the copy and the passphrase", hint="read one of them from a file")
    copy = outside_files.read(path, what=COPY)
    ring = import_keys(copy, run.secret(passphrase_file, "Passphrase", flag=PASSPHRASE_FLAG), store_id=parts.store.id)
    here = vault.describe().keys
    if run.given.dry_run:
        current, known = (here[0] if here else ring.current), {*here, *ring.keys}
    else:
        kept = vault.adopt(ring)
        current, known = kept.current, set(kept.keys)
        _note(run, parts, "import-vault-keys", current)
    return VaultImported(
        store=parts.store.id,
        current=current,
        added=tuple(key for key in ring.key_ids() if key not in here),
        unreadable=sum(count for key, count in vault_care.count_use(parts.store).seals.items() if key not in known),
        applied=not run.given.dry_run,
    )


def rotate(run: Run) -> VaultRotated:
    """Replace the key."""
    parts = parts_of(run.directory)
    vault = kept_vault(parts)
    if run.given.dry_run:
        return _would_rotate(parts)
    vault_care.check_readable(parts.store, vault)
    run.confirm("replace the vault key? copies made with vault export before will no longer be enough")
    done = vault_care.rotate(parts.store, vault, parts.clock, place=run.place)
    return VaultRotated(
        applied=True,
        current=done.key,
        seals=done.seals,
        accounts=done.accounts,
        forgotten=done.forgotten,
        kept=done.kept,
        app_passwords=done.app_passwords,
    )


def new_passphrase(run: Run, file: SecretFile | None) -> Secret:
    """Return a passphrase that is long enough to protect a file that may be stolen."""
    from passless.credentials.passwords import check_new_password

    passphrase = run.new_secret(file, "Passphrase", flag=PASSPHRASE_FLAG)
    check_new_password(passphrase, stands_alone=True, context_words=[])
    return passphrase


def _would_rotate(parts: Parts) -> VaultRotated:
    vault = kept_vault(parts)
    vault_care.check_readable(parts.store, vault)
    use, keys = vault_care.count_use(parts.store), vault.ring().key_ids()
    return VaultRotated(
        applied=False,
        current=keys[0],
        seals=sum(use.seals.values()),
        accounts=len({account for account, _ in parts.store.seals()}),
        forgotten=tuple(key for key in keys if key not in use.app_passwords),
        kept=tuple(key for key in keys if key in use.app_passwords),
        app_passwords=sum(use.app_passwords.values()),
    )


def _note(run: Run, parts: Parts, event: str, key: str) -> None:
    vault_care.note(parts.store, event, run.now(), actor="owner", place=run.place, details={"key": key})
