"""Results as JSON: one call for every type, with the keys that scripts rely on (cli.md, "JSON")."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from passless.domain.secret import Secret
from passless.domain.views import (
    Applied,
    Begun,
    MadeAppPassword,
    MadeInvitation,
    MadePass,
    MadeRecoveryCode,
    MadeRelyingParty,
    MadeToken,
    PlanView,
    SecondProofNeeded,
    SignedIn,
    Waits,
)
from passless.output.results import AccountMade, SignedOut
from passless.output.writing import escaped, flush, write

SHOWN_ONCE = (
    MadeAppPassword,
    MadeRecoveryCode,
    MadePass,
    MadeToken,
    MadeInvitation,
    MadeRelyingParty,
    Begun,
)  # the only results whose secrets are printed


def print_one(result: Any) -> None:
    """Write one document to stdout."""
    write(encode(result) + b"\n")


def print_each(results: Iterable[Any]) -> None:
    """Write a list to stdout, one thing at a time, however long it is."""
    opening = b"["
    for result in results:
        write(opening + encode(result))
        opening = b",\n"
    write(b"[]\n" if opening == b"[" else b"]\n")


def print_first(**known: Any) -> None:
    """Begin a document with what must be seen at once; `print_rest` ends it."""
    write(encode(known)[:-1])
    flush()


def print_rest(**rest: Any) -> None:
    """End a document that `print_first` began."""
    write(b"," + encode(rest)[1:] + b"\n")


def encode(result: Any) -> bytes:
    """Return a result as a JSON document.

    Raises:
        TypeError: there is a secret in it, and it is not one of the types that show a new secret once.
    """
    return escaped(msgspec.json.encode(_document(result), enc_hook=_refuse))


def _document(result: Any) -> Any:
    match result:
        case Applied(plan=plan, made=made):
            return {"applied": True, "plan": plan} | (_fields(made) if made is not None else {})
        case Waits(plan=plan, pending=pending):
            return {"applied": False, "plan": plan, "pending": pending}
        case PlanView():
            return {"applied": False, "plan": result}
        case AccountMade(plan=plan, signed_in=signed_in):
            return {"applied": True, "plan": plan} | _fields(signed_in, leave_out=("token",))
        case SignedOut(ended=ended):
            return {"applied": True, "plan": None, "ended": ended}
        case SignedIn():
            return _fields(result, leave_out=("token",))
        case Begun(public_key=public_key) | SecondProofNeeded(public_key=public_key):
            options = {} if public_key is None else {"publicKey": msgspec.Raw(public_key)}
            shown = _fields(result, leave_out=("public_key", "proven"))
            return {name: value for name, value in shown.items() if value is not None} | options
        case _ if isinstance(result, SHOWN_ONCE):
            return _fields(result)
        case _:
            return result


def _fields(made: Any, *, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the fields of a result under their JSON names, new secrets revealed where the type shows them once."""
    hook = _reveal if isinstance(made, SHOWN_ONCE) else _refuse
    names = dict(zip(made.__struct_fields__, made.__struct_encode_fields__, strict=True))
    return {
        written: msgspec.to_builtins(getattr(made, field), enc_hook=hook)
        for field, written in names.items()
        if field not in leave_out
    }


def _reveal(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else _refuse(value)


def _refuse(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} is not printed")
