"""Why a request got no answer, in words: from what the HTTP and TLS libraries raise."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from passless.directories.server.errors import ServerNotTrusted, ServerUnreachable
from passless.domain.errors import PasslessError
from passless.domain.names import printable
from passless.private_files import UnreadableFile

REFUSED = "not-connected"  # nothing was sent, so nothing can have happened
TOO_SLOW = "too-slow"
NEVER_VERIFIED = {
    10: "its certificate has expired",  # X509_V_ERR_CERT_HAS_EXPIRED, OpenSSL's x509_vfy.h
    9: "its certificate is not valid yet; is the clock here right?",
    18: "it signed its certificate itself",
    19: "its certificate comes from an authority that is not trusted here",
    20: "its certificate comes from an authority that is not trusted here",
    62: "its certificate is for another name",
    64: "its certificate is for another name",
}


def in_our_words(error: Exception, origin: str) -> PasslessError:
    """Return why nobody answered."""
    import httpx

    causes = tuple(_causes(error))
    if (failed := next((one for one in causes if isinstance(one, ssl.SSLError)), None)) is not None:
        return _tls(failed, origin)
    match error:
        case httpx.ConnectTimeout():
            return ServerUnreachable(f'nobody answered at "{origin}" in time', code=REFUSED)
        case httpx.TimeoutException():
            return too_slow(origin)
        case httpx.ConnectError() if any(isinstance(one, socket.gaierror) for one in causes):
            return ServerUnreachable(f'there is no address for "{origin}": no network, or no such host', code=REFUSED)
        case httpx.ConnectError() if any(isinstance(one, ConnectionRefusedError) for one in causes):
            return ServerUnreachable(f'nothing listens at "{origin}"', code=REFUSED)
        case httpx.ConnectError() | httpx.ProxyError():
            return ServerUnreachable(f'"{origin}" cannot be reached{_reason(causes)}', code=REFUSED)
        case httpx.RemoteProtocolError() | httpx.ReadError() | httpx.WriteError() | httpx.CloseError():
            return ServerUnreachable(f'the connection to "{origin}" broke off', code="broke-off")
        case _:
            return ServerUnreachable(f'"{origin}" cannot be asked ({type(error).__name__})', code="not-asked")


def too_slow(origin: str) -> ServerUnreachable:
    """Return the error of a server that takes too long; what was asked may still be done."""
    return ServerUnreachable(f'the server at "{origin}" did not answer in time', code=TOO_SLOW)


def as_unreachable(error: ServerUnreachable) -> ServerUnreachable:
    """Return the error under the one code that people see."""
    hint = error.hint if error.code == REFUSED else f"look whether it was done, then try again: passless status; {error.hint}"
    return ServerUnreachable(error.message, hint=hint)


def trusting(ca: str | None) -> ssl.SSLContext:
    """Trust the authorities of the system and those that come with Python's packages; with a file of one's own, only it."""
    if ca is not None:
        return trusting_only(ca)
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def trusting_only(path: str) -> ssl.SSLContext:
    """Return what trusts the authorities in a file and no others."""
    try:
        return ssl.create_default_context(cafile=path)
    except FileNotFoundError as error:
        raise UnreadableFile(f'the certificate "{printable(path)}" is not there') from error
    except ssl.SSLError as error:
        raise UnreadableFile(f'the file "{printable(path)}" holds no certificates in PEM') from error
    except OSError as error:
        raise UnreadableFile(f'the certificate "{printable(path)}" cannot be read: {error.strerror}') from error


def _tls(error: ssl.SSLError, origin: str) -> PasslessError:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = NEVER_VERIFIED.get(error.verify_code, printable(error.verify_message))
        return ServerNotTrusted(f'"{origin}" is not trusted: {why}')
    return ServerNotTrusted(
        f'no secure connection to "{origin}" ({printable(error.reason or "TLS failed")})', hint="check the address and its port"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _reason(causes: tuple[BaseException, ...]) -> str:
    said = next((one.strerror for one in causes if isinstance(one, OSError) and one.strerror), None)
    return f": {said.lower()}" if said else ""
