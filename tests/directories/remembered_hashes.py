"""Argon2id computed once for the same password and salt: real results with the product's parameters, remembered for the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from argon2 import _password_hasher as argon2
from argon2.exceptions import VerifyMismatchError


@contextmanager
def remembered_hashes() -> Iterator[None]:
    """Remember what was hashed and checked before; places draw the same random bytes in every test."""
    made: dict[Any, Any] = {}

    def once(compute: Callable[..., Any]) -> Callable[..., Any]:
        def remembered(*args: Any, **named: Any) -> Any:
            key = (compute, args, tuple(sorted(named.items())))
            if key not in made:
                try:
                    made[key] = compute(*args, **named)
                except VerifyMismatchError as error:
                    made[key] = error
            if isinstance(made[key], VerifyMismatchError):
                raise VerifyMismatchError
            return made[key]

        return remembered

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argon2, "hash_secret", once(argon2.hash_secret))
        patch.setattr(argon2, "verify_secret", once(argon2.verify_secret))
        yield
