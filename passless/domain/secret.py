"""A value that hides itself."""

from __future__ import annotations

import hmac


class Secret:
    """Text nobody should see by accident: hidden in `repr`, `str` and tracebacks, compared in constant time.

    No encoder knows this type, so JSON refuses it; the one place that shows a new secret calls `reveal`.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, for the one place that needs it."""
        return self._text

    def encode(self) -> bytes:
        """Return the text as UTF-8, for hashing and sealing."""
        return self._text.encode()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.encode(), other.encode())

    def __hash__(self) -> int:
        raise TypeError("a secret is not hashable")

    def __bool__(self) -> bool:
        return bool(self._text)

    def __len__(self) -> int:
        return len(self._text)

    def __repr__(self) -> str:
        return "Secret(hidden)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")
