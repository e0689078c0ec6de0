"""A place as a server has it, and what it does counted: operations of the store, and the functions that cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from argon2 import _password_hasher as argon2

from passless.actions.parts import Access
from passless.credentials import cose_keys, passkey_sign_in, random_codes
from passless.ports import Store
from passless.vault import KeptVault
from tests.directories.place import Place

NETWORKS = ("192.0.2.1", "198.51.100.7", "203.0.113.9")


def serve(place: Place) -> Place:
    """Let nobody act on accounts without being signed in to them, and take answers from one address."""
    rp_id = place.parts.rules.rp_id
    place.change(access=Access.NOBODY, origin=f"https://{rp_id}")
    return place


class CountingStore:
    """Another store behind it; counts what is asked of it by its name."""

    def __init__(self, store: Store, counted: Counter[str]) -> None:
        self.store = store
        self.counted = counted

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.store, name)
        if not callable(found):
            return found

        def counting(*args: Any, **named: Any) -> Any:
            self.counted[f"store.{name}"] += 1
            return found(*args, **named)

        return counting


def counted(place: Place, patch: pytest.MonkeyPatch) -> Counter[str]:
    """Count from now on what a place does."""
    done: Counter[str] = Counter()
    place.change(store=CountingStore(place.parts.store, done))
    for owner, name in (
        (argon2, "verify_secret"),
        (pyotp.TOTP, "generate_otp"),
        (KeptVault, "open"),
        (KeptVault, "tag"),
        (passkey_sign_in, "verify_signature"),
        (cose_keys, "load_public_key"),
        (random_codes, "check_recovery_code"),
    ):
        patch.setattr(owner, name, _counting(done, name, getattr(owner, name)))
    return done


def _counting(done: Counter[str], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def counting(*args: Any, **named: Any) -> Any:
        done[name] += 1
        return function(*args, **named)

    return counting
