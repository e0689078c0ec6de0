"""The entry: runs the program, and turns what went wrong into an exit status. Nowhere else maps errors to statuses."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

DONE = 0
FAULT = 1
WRONG_USE = 2
NOT_FOUND = 3
REFUSED = 4
PROOF_NEEDED = 5
UNAVAILABLE = 6
CANNOT = 7
INTERRUPTED = 130
GARBAGE_AFTER = 200_000  # objects made before garbage is first looked for; more than a short command makes
FOR_OTHERS = "they report a device lost, end sessions, revoke, or start a recovery: passless recover start --help"
READER_GONE = 141  # 128 + SIGPIPE, what a shell reports for any program in a pipe whose reader left


def main(arguments: Sequence[str] | None = None) -> None:
    """Run passless and exit, without taking the process apart first: everything is closed and written by then."""
    status = run(sys.argv[1:] if arguments is None else arguments)
    _flush_quietly()
    os._exit(status)


def run(arguments: Sequence[str]) -> int:
    """Run passless and return the exit status."""
    _open_missing_streams()
    try:
        return _run(list(arguments))
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: list[str]) -> int:
    gc.set_threshold(GARBAGE_AFTER)  # loading makes no garbage, and looking for it costs a tenth of a short command
    from typer.exceptions import Abort, TyperException

    from passless.cli.failures import ReaderGone
    from passless.cli.program import program
    from passless.domain.errors import PasslessError
    from passless.output import addressed

    addressed.tell(None)

    try:
        status = program().main(args=arguments, prog_name="passless", standalone_mode=False)
        _flush()
        return status if isinstance(status, int) else DONE
    except (ReaderGone, BrokenPipeError):
        return _reader_gone()
    except PasslessError as error:
        return _fail(error, arguments)
    except TyperException as error:
        return _fail(_wrong_use(error), arguments)
    except (Abort, KeyboardInterrupt):
        return INTERRUPTED
    except SystemExit as error:  # Typer's answer to a pipe that closed while it printed help
        return _reader_gone() if error.code == 1 else int(error.code or 0)
    except Exception as error:  # noqa: BLE001 - the one place that catches a fault of ours
        return _fail(_fault(error), arguments)


def _fail(error: Exception, arguments: Sequence[str]) -> int:
    from passless.cli.failures import tell
    from passless.domain.errors import PasslessError

    assert isinstance(error, PasslessError)
    if "--debug" in arguments:
        _traceback(error)
    tell(error, as_json=_wants_json(arguments))
    _flush_quietly()
    return _status(error)


def _status(error: Exception) -> int:
    from passless.cli.failures import PlanRefused
    from passless.domain import errors
    from passless.domain.refused import Refused

    match error:
        case Refused():
            return PROOF_NEEDED if error.is_about_proofs else REFUSED
        case PlanRefused():
            return PROOF_NEEDED if error.is_about_sessions else REFUSED
        case errors.WrongUse():
            return WRONG_USE
        case errors.NotFound():
            return NOT_FOUND
        case errors.ProofNeeded():
            return PROOF_NEEDED
        case errors.Unavailable():
            return UNAVAILABLE
        case errors.CannotDoThat():
            return CANNOT
        case _:
            return FAULT


def _wrong_use(error: Exception) -> Exception:
    """Turn Typer's words into ours: lower case, no final period, and where to look."""
    from passless.domain.errors import WrongUse

    ctx = getattr(error, "ctx", None)
    message = error.format_message().strip().rstrip(".") if hasattr(error, "format_message") else str(error)
    path = ctx.command_path if ctx is not None else "passless"
    if message.endswith(": --as-operator"):
        return WrongUse(f'"{path}" takes no --as-operator: operators cannot do this for others', hint=FOR_OTHERS)
    return WrongUse(message[:1].lower() + message[1:], hint=f"see: {path} --help")


def _fault(error: Exception) -> Exception:
    from passless.domain.errors import PasslessError

    fault = PasslessError(f"something went wrong in passless ({type(error).__name__})")
    fault.__cause__ = error
    return fault


def _traceback(error: BaseException) -> None:
    """Show where it came from: lines of code only, never the values in them."""
    import traceback

    if sys.stderr is not None:
        traceback.print_exception(error, file=sys.stderr)


def _wants_json(arguments: Sequence[str]) -> bool:
    from passless.domain.errors import PasslessError
    from passless.settings import Settings

    words = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if "--json" in words:
        return True
    try:
        return Settings(os.environ).wants_json
    except PasslessError:
        return False


def _open_missing_streams() -> None:
    """Put an empty file where a standard stream was closed, so that no other file takes its number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _flush() -> None:
    from passless.output.writing import results

    with results():
        sys.stdout.flush()


def _flush_quietly() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _forget_output()


def _reader_gone() -> int:
    _forget_output()
    return READER_GONE


def _forget_output() -> None:
    """Let what is left in the buffer go nowhere, so that Python does not complain on its way out."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return
