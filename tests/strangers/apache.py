"""Debian's Apache with mod_auth_openidc, from a configuration of its own on a port of its own; nothing of /etc is read."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.strangers.needing import missing

MODULES = Path("/usr/lib/apache2/modules")
LOADED = (
    "mpm_event",
    "authn_core",
    "authz_core",
    "authz_user",
    "auth_openidc",
    "alias",
    "dir",
    "env",
    "mime",
    "filter",
    "include",
    "socache_shmcb",
    "ssl",
)
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"  # where Debian has it
INSTALL = "apt-get install apache2-bin libapache2-mod-auth-openidc"
UNPRIVILEGED = "nobody"  # who it runs as where the tests are root's
CALLBACK = "/app/redirect_uri"
PAGE = """<!DOCTYPE html><title>app</title><h1>The app</h1>
<p id="user"><!--#echo var="REMOTE_USER" --></p>
<p id="acr"><!--#echo var="OIDC_CLAIM_acr" --></p>
<p id="name"><!--#echo var="OIDC_CLAIM_preferred_username" --></p>
<p id="token"><!--#echo var="OIDC_access_token" --></p>
<p id="id_token"><!--#echo var="OIDC_id_token" --></p>
"""
SETTINGS = """
ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/pid
DefaultRuntimeDir {folder}
Mutex file:{folder}
ErrorLog {folder}/error.log
LogLevel info auth_openidc:debug
StartServers 1
KeepAlive Off
ThreadsPerChild 16
MaxRequestWorkers 16
DocumentRoot {folder}/pages
TypesConfig /dev/null
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
DirectoryIndex index.shtml
{tls}

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {secret}
OIDCRedirectURI {url}/app/redirect_uri
OIDCCryptoPassphrase "only for this test"
OIDCScope "{scope}"
OIDCPKCEMethod S256
OIDCRemoteUserClaim preferred_username
OIDCCacheType file
OIDCCacheDir {folder}/cache
OIDCCacheEncrypt Off
OIDCSessionInactivityTimeout 300
OIDCPassIDTokenAs claims payload serialized
OIDCHTMLErrorTemplate {folder}/error.html
{provider}
{more}

<Directory {folder}/pages>
    Options +Includes
    Require all granted
</Directory>
<Location /app>
    AuthType openid-connect
    Require valid-user
</Location>
<Location /only-ada>
    AuthType openid-connect
    Require claim preferred_username:ada
</Location>
<Location /only-bob>
    AuthType openid-connect
    Require claim preferred_username:bob
</Location>
<Location /silent>
    AuthType openid-connect
    OIDCPathAuthRequestParams prompt=none
    Require valid-user
</Location>
<Location /strong>
    AuthType openid-connect
    OIDCPathAuthRequestParams acr_values={acr}
    OIDCUnAutzAction auth
    Require claim acr:{acr}
</Location>
"""
TLS = "SSLEngine on\nSSLCertificateFile {folder}/cert.pem\nSSLCertificateKeyFile {folder}/key.pem"
TRUST = "OIDCSSLValidateServer On\nOIDCCABundlePath {folder}/cert.pem"


class Apache:
    """A web app whose sign-in is left to mod_auth_openidc."""

    def __init__(self, folder: Path, *, port: int, cert: tuple[Path, Path] | None = None) -> None:
        self.folder = folder
        self.port = port
        self.cert = cert
        self.url = f"https://localhost:{port}" if cert else f"http://127.0.0.1:{port}"
        self.callback = f"{self.url}{CALLBACK}"
        self.told_at = f"{self.callback}?logout=backchannel"

    @property
    def log(self) -> str:
        """What it wrote."""
        file = self.folder / "error.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def write(self, **settings: str) -> None:
        """Write its pages and its configuration."""
        for path in ("app", "silent", "strong", "only-ada", "only-bob", "bye"):
            (self.folder / "pages" / path).mkdir(parents=True)
            (self.folder / "pages" / path / "index.shtml").write_text(PAGE)
        (self.folder / "pages" / "bye" / "index.shtml").write_text("<!DOCTYPE html><title>bye</title><h1>Good bye</h1>")
        (self.folder / "error.html").write_text("<!DOCTYPE html><title>error</title><h1>%s</h1><p>%s</p>")
        (self.folder / "cache").mkdir()
        if self.cert is not None:
            shutil.copy(self.cert[0], self.folder / "cert.pem")
            shutil.copy(self.cert[1], self.folder / "key.pem")
        known = {
            "provider": TRUST.format(folder=self.folder) if self.cert else "",
            "more": "",
            "acr": "2",
            "scope": "openid profile offline_access",
        }
        tls = TLS.format(folder=self.folder) if self.cert else ""
        loaded = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in LOADED)
        filled = SETTINGS.format(folder=self.folder, port=self.port, url=self.url, tls=tls, **{**known, **settings})
        (self.folder / "apache.conf").write_text(loaded + filled)

    @contextmanager
    def running(self) -> Iterator[Apache]:
        """Run it, and stop it afterwards."""
        program = shutil.which("apache2", path=PATH) or "apache2"
        command = [program, "-d", str(self.folder), "-f", str(self.folder / "apache.conf"), "-DFOREGROUND"]
        somebody = None
        if os.geteuid() == 0:
            somebody = pwd.getpwnam(UNPRIVILEGED)
            _give(self.folder, somebody)
        user = {} if somebody is None else {"user": somebody.pw_uid, "group": somebody.pw_gid, "extra_groups": []}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **user) as process:  # type: ignore[call-overload]
            try:
                self._await_port(process)
                yield self
            finally:
                process.terminate()
                process.communicate()

    def _await_port(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            with socket.socket() as trying:
                if trying.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)  # it tells nobody when it is ready
        assert process.stdout is not None
        raise AssertionError(process.stdout.read().decode() + self.log)


def _give(folder: Path, somebody: pwd.struct_passwd) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, somebody.pw_uid, somebody.pw_gid)


@contextmanager
def apache_folder() -> Iterator[Path]:
    """Return a folder that an unprivileged user can reach."""
    if shutil.which("apache2", path=PATH) is None or not (MODULES / "mod_auth_openidc.so").exists():
        missing("apache2 with mod_auth_openidc", install=INSTALL)
    with tempfile.TemporaryDirectory(prefix="passless-test-apache-") as name:
        yield Path(name)
