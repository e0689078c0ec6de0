"""What stands in Dovecot's configuration, in the words of 2.3 and of 2.4, which share hardly any.

Both ask with the same keys on the same socket. 2.4 has no dict for passwords any more and asks through a script in Lua.
"""

from __future__ import annotations

import shlex
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from msgspec import Struct

SCOPE = "mail"  # what a token must be good for
IDLE = 60_000  # milliseconds that a connection stays open between two questions
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
INTROSPECTION = "/oauth/introspect"
PASSWORD = "plain login"
TOKENS = "oauthbearer xoauth2"

HEAD = """\
# Written by passless for the relying party "{name}": people sign in with app passwords.{tokens}
# Undo: take the line that includes this file out of Dovecot's configuration, reload Dovecot, and remove
# {files}
"""
TOKENS_TOO = f' Tokens with\n# the scope "{SCOPE}" are taken too.'
ALWAYS = """\
# What is revoked must be refused at once, so nothing is remembered.
auth_cache_size = 0
# Names have letters outside of ASCII too; whose name it is, passless says, and it is asked with the name last.
auth_username_chars =
"""
UNLOGGED = "# With auth_debug = yes Dovecot would write this address, with the secret, and every token into its log.\n"


class Wanted(Struct, frozen=True, kw_only=True):
    """What is asked for: where the files are, where Dovecot asks, and with which id and secret it looks at tokens."""

    name: str
    main: Path
    beside: tuple[Path, ...]
    socket: str
    url: str
    client_id: str = ""
    secret: str = ""
    tokens: bool = False

    @property
    def looks_at(self) -> str:
        """The address at which Dovecot looks at tokens, with its id and secret."""
        at = urlsplit(self.url)
        who = f"{quote(self.client_id, safe='')}:{quote(self.secret, safe='')}@"
        return urlunsplit((at.scheme, who + at.netloc, INTROSPECTION, "", ""))

    @property
    def is_secure(self) -> bool:
        """Whether tokens go over TLS."""
        return self.url.startswith("https://")


def head(wanted: Wanted) -> str:
    """Return what stands at the beginning of the main file."""
    everything = " ".join(shlex.quote(str(one)) for one in (wanted.main, *wanted.beside))
    return HEAD.format(name=wanted.name, tokens=TOKENS_TOO if wanted.tokens else "", files=everything) + ALWAYS


def main_2_3(wanted: Wanted, asking: Path, looking: Path) -> str:
    """Return the main file for 2.3."""
    tokens = f"""
passdb {{
  driver = oauth2
  mechanisms = {TOKENS}
  args = {looking}
}}
"""
    return f"""{head(wanted)}
auth_mechanisms = {PASSWORD}{f" {TOKENS}" if wanted.tokens else ""}

passdb {{
  driver = dict
  mechanisms = {PASSWORD}
  args = {asking}
}}
{tokens if wanted.tokens else ""}
# Whoever signed in was looked up with it; mail that comes in asks by itself.
userdb {{
  driver = prefetch
}}
userdb {{
  driver = dict
  args = {asking}
}}
"""


def asking_2_3(wanted: Wanted) -> str:
    """Return what 2.3 asks: the name stands last in the key, and nothing that is typed reaches before it."""
    return f"""\
uri = proxy:idle_msecs={IDLE}:{wanted.socket}:passless
default_pass_scheme = PLAIN
iterate_disable = yes

key passdb {{
  key = passdb/%s/%{{sha256:password}}/%{{rip}}/%u
  format = json
}}
key userdb {{
  key = userdb/%u
  format = json
}}
passdb_objects = passdb
userdb_objects = userdb
"""


def looking_2_3(wanted: Wanted) -> str:
    """Return how 2.3 looks at tokens (RFC 7662)."""
    return f"""\
{UNLOGGED}introspection_mode = post
introspection_url = {wanted.looks_at}
username_attribute = username
active_attribute = active
active_value = true
scope = {SCOPE}
{f"tls_ca_cert_file = {AUTHORITIES}" if wanted.is_secure else ""}
"""


def main_2_4(wanted: Wanted, script: Path, looking: Path) -> str:
    """Return the main file for 2.4; the address with the secret is in a file of root's own."""
    tokens = f"\n!include {looking}\n"
    return f"""{head(wanted)}
auth_mechanisms = {PASSWORD}{f" {TOKENS}" if wanted.tokens else ""}

passdb passless {{
  driver = lua
  mechanisms_filter = {PASSWORD}
  lua_file = {script}
  lua_settings {{
    socket = {wanted.socket}
  }}
}}
{tokens if wanted.tokens else ""}
# Whoever signed in was looked up with it; mail that comes in asks by itself.
userdb prefetch {{
}}
userdb passless {{
  driver = lua
  lua_file = {script}
  lua_settings {{
    socket = {wanted.socket}
  }}
}}
"""


def looking_2_4(wanted: Wanted) -> str:
    """Return how 2.4 looks at tokens (RFC 7662)."""
    secure = f"  ssl_client_ca_file = {AUTHORITIES}\n" if wanted.is_secure else ""
    return f"""\
{UNLOGGED}oauth2 {{
  introspection_mode = post
  introspection_url = {wanted.looks_at}
  username_attribute = username
  active_attribute = active
  active_value = true
  scope = {SCOPE}
{secure}}}
"""


def script_2_4() -> str:
    """Return the script by which 2.4 asks."""
    return files("passless.programs").joinpath("dovecot.lua").read_text(encoding="utf-8")
