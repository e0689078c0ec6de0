"""What goes wrong with a store beyond what the port says."""

from __future__ import annotations

from passless.domain.errors import WrongUse
from passless.ports import StoreUnavailable


class StoreMissing(StoreUnavailable):
    """There is no such file; a store is made only when asked for."""

    code = "store-missing"
    hint = "make one: passless setup, or choose another: passless profile add NAME --store URL"


class StoreExists(WrongUse):
    """A store is never made over something else."""

    code = "store-exists"
    hint = "use it as it is, or choose another file"


class StateMissing(StoreUnavailable):
    """The folder with the store's audit key and last commits is gone or broken."""

    code = "store-state-missing"
    hint = "put the folder back from a copy; without it the store can only be taken over like a restored copy"


class StoreReplaced(StoreUnavailable):
    """Another file was put in the store's place while it was open."""

    code = "store-replaced"
    hint = "try again; sign in again if asked to"


class NotACheckpoint(WrongUse):
    """What was given to compare the audit log with is no checkpoint of this store."""

    code = "not-a-checkpoint"
    hint = "give the file that was kept: passless audit verify --head FILE"
