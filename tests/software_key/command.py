"""Run the passless command line in a process of its own, with software keys plugged in.

    python -m tests.software_key.command --key-file state.json --touch file:finger -- key list

The keys live in their files, so that one process after the other sees the same ones. A new file is a new key.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .key import SoftwareKey
from .model import FINGERPRINT_MODEL, Model
from .person import AutomaticTouch, FileTouch, Finger, NoTouch, Touch
from .plugging import install


def main(arguments: Sequence[str] | None = None) -> int | None:
    """Plug the keys in, then do what the `passless` script would do."""
    given = _parser().parse_args(arguments)
    install(*_keys(given))
    sys.argv = ["passless", *given.arguments]
    # Late: the command line must find the keys plugged in, whatever it does on import.
    from passless.cli.main import main as passless

    return passless()


def touch_from(text: str) -> Touch:
    """Read `auto`, `after:SECONDS`, `never` or `file:PATH`."""
    kind, _, rest = text.partition(":")
    match kind:
        case "auto":
            return AutomaticTouch()
        case "after":
            return AutomaticTouch(float(rest))
        case "never":
            return NoTouch()
        case "file" if rest:
            return FileTouch(Path(rest))
        case _:
            raise argparse.ArgumentTypeError(f"'{text}' is none of auto, after:SECONDS, never, file:PATH")


def _finger_from(text: str) -> Finger:
    try:
        return Finger[text.upper()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"'{text}' is no finger: {', '.join(Finger.__members__).lower()}") from None


def _keys(given: argparse.Namespace) -> list[SoftwareKey]:
    first = SoftwareKey(
        model=FINGERPRINT_MODEL if given.fingerprint_reader else Model(),
        file=given.key_file,
        touch=given.touch,
        pin=given.pin,
        presence=given.plugged_while,
        still_plugged_in=given.still_plugged_in,
    )
    if given.finger is not None:
        first.usual_finger(given.finger)
    if given.second_key is None:
        return [first]
    second = SoftwareKey(
        file=given.second_key, touch=given.second_touch, presence=given.second_plugged_while, pin=given.second_pin
    )
    return [first, second]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.software_key.command", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--key-file", type=Path, required=True, help="where the key is kept; made if missing")
    add("--touch", type=touch_from, default="auto", help="auto (default), after:SECONDS, never, file:PATH")
    add("--pin", help="the PIN that a new key starts with")
    add("--plugged-while", type=Path, metavar="PATH", help="the key is plugged in only while this file exists")
    add("--still-plugged-in", action="store_true", help="go on with the last process's power cycle, begun long ago")
    add("--fingerprint-reader", action="store_true", help="a new key has a fingerprint reader")
    add("--finger", type=_finger_from, help="what its sensor sees: good (default), wrong, none, too_fast, …")
    add("--second-key", type=Path, metavar="FILE", help="one more key")
    add("--second-touch", type=touch_from, default="auto", help="like --touch")
    add("--second-pin", help="like --pin")
    add("--second-plugged-while", type=Path, metavar="PATH", help="like --plugged-while")
    add("arguments", nargs="*", metavar="ARGS", help="what comes after `passless`")
    return parser


if __name__ == "__main__":
    sys.exit(main())
