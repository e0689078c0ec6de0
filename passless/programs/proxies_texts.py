"""The texts of `proxies`: what each program has to be told, and nothing that it need not be. Traefik's is in `traefik`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"  # where Debian keeps whom it trusts
FREERADIUS_LIBRARIES = ("/usr/lib/freeradius", "/usr/lib64/freeradius")
FREERADIUS_DICTIONARIES = ("/usr/share/freeradius",)
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # what means nothing else in any of the files
LONGEST_WORD = 16  # characters; names in nginx's patterns have 32 at most
TOLD = ("Remote-User", "Passless-Account-Id", "Passless-Method", "Passless-Acr", "Passless-Amr", "Passless-Auth-Time")
MISTAKEN = tuple(  # what CGI, WSGI and PHP programs take for these, for they read "-", "_" and some "." as the same
    spelled
    for name in TOLD
    for spelled in map("".join, product(*("-_." if one == "-" else one for one in name)))
    if spelled != name
)
OWN = ("sign-in", "callback", "sign-out")  # of a site, under /.passless/
COOKIE = "(?:__Host-)?passless-"  # how every cookie of passless begins, whatever it is for and whichever relying party's
OURS = f"(?:{COOKIE}[^;]*+(?:; *+|$))++"  # a row of them, as PCRE reads it
VARIABLES_HASH = "variables_hash_max_size 2048;"  # a setting that may stand once in http, so no snippet has it
MOST_ROWS = 8  # times that cookies of passless may stand between others, before the site gets none at all


class Guarded(Struct, frozen=True, kw_only=True):
    """What the texts are made of: `upstream` is where proxies reach the server, which is known as `url`."""

    name: str
    client_id: str
    url: str
    upstream: str
    origins: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """The name, as it stands in file names."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "site"

    @property
    def word(self) -> str:
        """What stands in names of variables: the name, or the client id where the name is long or could be mistaken."""
        is_plain = PLAIN.fullmatch(self.name) is not None and len(self.slug) <= LONGEST_WORD
        return (self.slug if is_plain else self.client_id).replace("-", "_")

    @property
    def path(self) -> str:
        """Where the server is asked: by the name, or by the client id where some program would read the name in its own way."""
        return f"/auth/{self.name if PLAIN.fullmatch(self.name) else self.client_id}"

    @property
    def host(self) -> str:
        """The host that the server answers for."""
        return urlsplit(self.url).netloc

    @property
    def scheme(self) -> str:
        """How the server is reached by people."""
        return urlsplit(self.url).scheme

    @property
    def is_tls(self) -> bool:
        """Whether proxies reach it over TLS."""
        return self.upstream.startswith("https://")

    @property
    def sign_in(self) -> str:
        """Where a browser is sent to sign in: `/.passless/sign-in` of the site, or the server's own address."""
        return "/.passless/sign-in" if self.origins else f"{self.url}{self.path}/sign-in"


def nginx_http(site: Guarded) -> str:
    """Return what stands in nginx's `http`."""
    front = f"passless_{site.word}"
    rows = "".join(f"(?:{OURS}{_others(f'{front}_{number}')})?" for number in range(1, MOST_ROWS + 1))
    kept = "".join(f"${front}_{number}" for number in range(MOST_ROWS + 1))
    return f"""# passless: "{site.name}", for http {{ }}
# where nginx warns of variables_hash, which costs it a little memory and nothing else, put beside this: {VARIABLES_HASH}

# a browser that opens a page and sends no password is sent to sign in, everything else is told that it may not come in
map "$request_method:$http_authorization:$http_accept" ${front}_browser {{
    default 0;
    "~^(?:GET|HEAD)::.*text/html" 1;
}}
# the host by which this server was chosen, with a port if one was named; "Host" may say another ("GET https://a/ HTTP/1.1")
map "$host $http_host" ${front}_host {{
    default $host;
    "~*^(?<{front}_named>[^ ]+) \\k<{front}_named>(?<{front}_port>:[0-9]+)$" ${front}_named${front}_port;
}}
# for locations with WebSockets; whatever else a client would go on with ("h2c") would pass by the questions
map "$http_upgrade" ${front}_upgrade {{
    default "";
    "~*^websocket$" websocket;
}}
map "$http_upgrade" ${front}_connection {{
    default "";
    "~*^websocket$" upgrade;
}}
# the site sees neither app passwords nor any cookie of passless
map $http_authorization ${front}_authorization {{
    default $http_authorization;
    "~*^basic " "";
}}
map $http_cookie ${front}_cookies {{
    default $http_cookie;
    "~^{_others(f"{front}_0")}{rows}$" "{kept}";
    "~(?:^|; *){COOKIE}" "";
}}
"""


def _others(variable: str) -> str:
    """Return a pattern of cookies that are not ours, as many as follow each other, kept in a variable of nginx."""
    return f"(?<{variable}>(?:(?!{COOKIE})(?:[^;]*+; *+|[^;]++$))*+)"


def nginx_server(site: Guarded) -> str:
    """Return what stands in nginx's `server`."""
    own = ""
    if site.origins:
        own = f"""
location /.passless/ {{
    auth_request off;
    proxy_pass {site.upstream}{site.path}/;
    proxy_redirect off;
    proxy_intercept_errors off;
{_nginx_asking(site)}}}
"""
    return f"""# passless: "{site.name}", for the server {{ }} of the site

location = /.passless/check {{
    internal;
    proxy_pass {site.upstream}{site.path};
    client_max_body_size 0;
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
    proxy_intercept_errors off;
    proxy_cache off;
{_nginx_asking(site)}}}
{own}
location @passless_{site.word} {{
    absolute_redirect off;
    if ($passless_{site.word}_browser) {{
        return 302 {site.sign_in}?to=$request_uri;
    }}
    return 401;
}}
"""


def _nginx_asking(site: Guarded) -> str:
    lines = [
        "proxy_http_version 1.1;",
        'proxy_set_header Connection "";',
        f"proxy_set_header Host {site.host};",
        f"proxy_set_header X-Forwarded-Host $passless_{site.word}_host;",
        "proxy_set_header X-Forwarded-For $remote_addr;",
        f"proxy_set_header X-Forwarded-Proto {site.scheme};",
    ]
    if site.is_tls:
        lines += [
            "proxy_ssl_server_name on;",
            f"proxy_ssl_name {urlsplit(site.upstream).hostname};",
            "proxy_ssl_verify on;",
            f"proxy_ssl_trusted_certificate {CERTIFICATES};",
        ]
    return "".join(f"    {line}\n" for line in lines)


def nginx_location(site: Guarded) -> str:
    """Return what stands in every `location` that is guarded."""
    front = f"passless_{site.word}"
    variables = [(name, name.lower().replace("-", "_")) for name in TOLD]
    taken = "".join(f"auth_request_set ${front}_{word} $upstream_http_{word};\n" for _, word in variables)
    given = "".join(f"proxy_set_header {name} ${front}_{word};\n" for name, word in variables)
    forged = "".join(f'proxy_set_header {name} "";\n' for name in MISTAKEN if "." not in name)  # others it drops itself
    return f"""# passless: "{site.name}", for every location {{ }} that is guarded; it needs a proxy_pass of its own.
# "satisfy any" must not stand here. What proxy_set_header says further up does not hold here: add it below where you need it.
# For WebSockets add, and hand no other Upgrade on, which would pass by the questions:
#   proxy_http_version 1.1;
#   proxy_set_header Upgrade ${front}_upgrade;
#   proxy_set_header Connection ${front}_connection;

auth_request /.passless/check;
{taken}error_page 401 = @passless_{site.word};
{given}{forged}proxy_set_header Authorization ${front}_authorization;
proxy_set_header Cookie ${front}_cookies;
proxy_set_header Host ${front}_host;
proxy_set_header X-Forwarded-Host ${front}_host;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Proto $scheme;
"""


def caddy(site: Guarded) -> str:
    """Return what stands in a `route` of Caddy, before everything that answers."""
    own = ""
    if site.origins:
        own = f"""@passless_{site.word}_own path {" ".join(f"/.passless/{one}" for one in OWN)}
route @passless_{site.word}_own {{
	uri strip_prefix /.passless
	rewrite * {site.path}{{uri}}
	reverse_proxy {site.upstream} {{
		header_up Host {site.host}
	}}
}}
"""
    forged = "".join(f"request_header -{name}\n" for name in (*TOLD, *MISTAKEN))
    return f"""# passless: "{site.name}", for a route {{ }} of the site, before everything that answers there

{own}# who asks that a header be left out on the way ("Connection: Remote-User") is asking to be nobody
@passless_{site.word}_connection header_regexp Connection (?i)(remote|passless)
request_header @passless_{site.word}_connection -Connection
# who would go on in HTTP/2 on the same connection does not: nobody would ask about that
@passless_{site.word}_upgrade header_regexp Upgrade (?i)h2c|http/|tls/
request_header @passless_{site.word}_upgrade -Upgrade
{forged}forward_auth {site.upstream} {{
	uri {site.path}?sign-in=yes
	header_up Host {site.host}
	copy_headers {" ".join(TOLD)}
}}
@passless_{site.word}_basic header_regexp Authorization (?i)^basic
request_header @passless_{site.word}_basic -Authorization
@passless_{site.word}_cookie header_regexp Cookie {COOKIE}
request_header @passless_{site.word}_cookie Cookie "(^|; *)({COOKIE}[^=;]*)=?[^;]*" "$1$2=hidden"
"""


def freeradius_module(site: Guarded) -> str:
    """Return an instance of FreeRADIUS's `rest`; it starts while the server is down."""
    tls = f"""
	tls {{
		ca_file = "{CERTIFICATES}"
		check_cert = yes
		check_cert_cn = yes
	}}
"""
    return f"""# passless: "{site.name}", for mods-enabled
rest passless_{site.word} {{{tls if site.is_tls else ""}
	connect_uri = "{site.upstream}"
	connect_timeout = 4.0

	authenticate {{
		uri = "{site.upstream}{site.path}?exact"
		method = 'get'
		auth = 'basic'
		username = "%{{User-Name}}"
		password = "%{{User-Password}}"
		require_auth = no
		timeout = 10.0
		{"tls = ${..tls}" if site.is_tls else ""}
	}}

	pool {{
		start = 0
		min = 0
		spare = 1
		max = 20
	}}
}}
"""


def freeradius_site(site: Guarded) -> str:
    """Return a virtual server that lets in who has an app password, and nobody else; whom it listens to is left to do."""
    front = f"passless_{site.word}"
    return f"""# passless: "{site.name}", for sites-enabled: a virtual server that clients or "listen" sections name
server {front} {{
	authorize {{
		if (!&User-Name || !&User-Password || &User-Name =~ /:/) {{
			reject
		}}
		update control {{
			&REST-HTTP-Header := "Host: {site.host}"
			&REST-HTTP-Header += "X-Forwarded-Proto: {site.scheme}"
			&Auth-Type := {front}
		}}
	}}
	authenticate {{
		Auth-Type {front} {{
			{front}
		}}
	}}
}}
"""


def radiusd(folder: Path, library: Path, modules: Iterable[Path], sites: Iterable[Path], *, server: str, port: int) -> str:
    """Return a `radiusd.conf` with these modules and virtual servers and nothing else, all it writes in a folder.

    It listens on the loopback for one of the virtual servers; its clients are in the file `clients.conf` there.
    """
    included = "".join(f"\t$INCLUDE {one}\n" for one in modules)
    return f"""prefix = {folder}
logdir = {folder}
run_dir = {folder}
libdir = {library}
pidfile = {folder}/radiusd.pid
max_requests = 1024
security {{
	allow_core_dumps = no
	max_attributes = 200
	reject_delay = 0
	status_server = no
}}
thread pool {{
	start_servers = 2
	max_servers = 8
	min_spare_servers = 1
	max_spare_servers = 4
	max_requests_per_server = 0
}}
modules {{
	always reject {{
		rcode = reject
	}}
{included}}}
listen {{
	type = auth
	ipaddr = 127.0.0.1
	port = {port}
	virtual_server = {server}
}}
$INCLUDE {folder}/clients.conf
{"".join(f"$INCLUDE {one}{chr(10)}" for one in sites)}"""
