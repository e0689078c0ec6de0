"""What the server is, for anybody."""

from __future__ import annotations

from passless import __version__, wire
from passless.domain.methods import Kind
from passless.ports.directory import Ability
from passless.server.api.calls import Call, Said, operation


@operation("GET", "/", gives=wire.About, is_open=True)
def about(call: Call) -> Said:
    """Say what this server is and what it cannot do."""
    site, parts = call.site, call.site.parts
    cannot = {kind.value: able for kind in Kind if not (able := site.directory.ability(kind)).is_possible}
    return Said(
        value=wire.About(
            name=site.name,
            version=__version__,
            store=parts.store.id,
            rp_id=parts.rules.rp_id or "",
            url=site.url,
            sign_up=parts.sign_up,
            may={what: _may(able) for what, able in cannot.items()},
        )
    )


def _may(able: Ability) -> wire.May:
    return wire.May(is_possible=able.is_possible, reason=able.reason, where=able.where)
