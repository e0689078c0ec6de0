"""A security key in software that plugs in below `fido2`, so that everything above it runs as with a real key.

with plugged_in(SoftwareKey(pin="1234")):
    device = next(CtapHidDevice.list_devices())
"""

from __future__ import annotations

from .attestation import attester, maker
from .key import SoftwareKey
from .memory import Credential, Fingerprint, Memory, User
from .model import AAGUID, EDDSA, ES256, EXTENSIONS, FINGERPRINT_MODEL, Model
from .person import AutomaticTouch, FileTouch, Finger, NoTouch, Touch
from .plugging import install, plugged_in

__all__ = [
    "AAGUID",
    "EDDSA",
    "ES256",
    "EXTENSIONS",
    "FINGERPRINT_MODEL",
    "AutomaticTouch",
    "Credential",
    "FileTouch",
    "Finger",
    "Fingerprint",
    "Memory",
    "Model",
    "NoTouch",
    "SoftwareKey",
    "Touch",
    "User",
    "attester",
    "install",
    "maker",
    "plugged_in",
]
