"""What every store does."""

from __future__ import annotations

from tests.stores.accounts_contract import AccountsContract, LookUpsContract
from tests.stores.records_contract import RecordsContract
from tests.stores.sessions_contract import SessionsContract, UsesContract


class StoreContract(AccountsContract, LookUpsContract, UsesContract, SessionsContract, RecordsContract):
    """Run for each store; the class that derives from it gives `store`."""
