"""How keys for programs outside of a browser look."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from passless.domain.key_views import KeyMapping, SshKeyWritten
from passless.output.drawing import Look, facts, safe, stack
from passless.output.human import view


@view.register
def ssh_key_written(result: SshKeyWritten, look: Look) -> RenderableType:
    """Draw where the files are, and how ssh uses them."""
    written = [("written" if not number else "", safe(path)) for number, path in enumerate(result.written)]
    asks = "a touch, and its PIN or a finger" if result.verify_required else "a touch"
    return facts(
        [
            ("key", safe(result.name, "bold")),
            *written,
            ("ssh asks for", Text(asks)),
            ("use it", safe(f"ssh -i {result.written[0] if result.written else 'FILE'} HOST", "cyan")),
        ]
    )


@view.register
def key_mapping(result: KeyMapping, look: Look) -> RenderableType:
    """Draw the line as it stands in the file; off a terminal it alone."""
    if not look.is_terminal:
        return Text(result.line, no_wrap=True, overflow="ignore")
    line = Text(result.line, overflow="fold")
    module = f"auth required pam_u2f.so authfile=FILE cue origin={result.origin} appid={result.origin}"
    return stack(line, safe(f"the service asks it with: {module}", "dim"))
