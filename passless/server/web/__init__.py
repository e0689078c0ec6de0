"""Web sites behind a proxy that asks this server who may come in: `GET /auth/NAME`, and how a browser gets there.

The question itself is answered beside Litestar (`checking`), everything that browsers see by usual routes.
"""

from passless.server.batches import Batches
from passless.server.site import Site
from passless.server.web.checking import Checks
from passless.server.web.routes import router

__all__ = ["at_once", "router"]


def at_once(site: Site, batches: Batches) -> Checks:
    """Return what answers proxies."""
    return Checks(site, batches)
