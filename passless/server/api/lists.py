"""What belongs to an account: its app passwords, sessions, tokens, passes and devices."""

from __future__ import annotations

from passless.domain.key_views import HardwareKeyView
from passless.domain.views import AppPasswordView, DeviceView, PassView, SessionView, TokenView
from passless.server.api import paging
from passless.server.api.calls import Call, Said, operation
from passless.wire import Page


@operation("GET", "/accounts/{account}/app-passwords", gives=Page[AppPasswordView], parameters=paging.PAGED)
def list_app_passwords(call: Call) -> Said:
    """List the app passwords, without themselves."""
    return Said(value=paging.part(call.site.directory.app_passwords(call.actor, call.target), call, lambda one: one.id))


@operation("GET", "/accounts/{account}/sessions", gives=Page[SessionView], parameters=paging.PAGED)
def list_sessions(call: Call) -> Said:
    """List the sessions of people."""
    return Said(value=paging.part(call.site.directory.sessions(call.actor, call.target), call, lambda one: one.id))


@operation("GET", "/accounts/{account}/tokens", gives=Page[TokenView], parameters=paging.PAGED)
def list_tokens(call: Call) -> Said:
    """List the tokens of machines, without themselves."""
    return Said(value=paging.part(call.site.directory.tokens(call.actor, call.target), call, lambda one: one.id))


@operation("GET", "/accounts/{account}/passes", gives=Page[PassView], parameters=paging.PAGED)
def list_passes(call: Call) -> Said:
    """List the temporary pass, if there is one."""
    return Said(value=paging.part(call.site.directory.passes(call.actor, call.target), call, lambda one: one.id))


@operation("GET", "/accounts/{account}/devices", gives=Page[DeviceView], parameters=paging.PAGED)
def list_devices(call: Call) -> Said:
    """List the devices, what is on each, and what its loss would do."""
    return Said(value=paging.part(call.site.directory.devices(call.actor, call.target), call, lambda one: one.name))


@operation("GET", "/accounts/{account}/hardware-keys", gives=Page[HardwareKeyView], parameters=paging.PAGED)
def list_hardware_keys(call: Call) -> Said:
    """List the public halves of the keys that programs outside of a browser can ask, such as ssh."""
    return Said(value=paging.part(call.site.directory.hardware_keys(call.actor, call.target), call, lambda one: one.id))
