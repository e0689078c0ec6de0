"""What every store does."""

from __future__ import annotations

from tests.stores.accounts_contract import AccountsContract, LookUpsContract
from tests.stores.kept_records_contract import KeptRecordsContract, PagesContract
from tests.stores.records_contract import RecordsContract
from tests.stores.sessions_contract import SessionsContract, UsesContract
from tests.stores.together_contract import TogetherContract


class StoreContract(
    AccountsContract,
    LookUpsContract,
    UsesContract,
    SessionsContract,
    RecordsContract,
    KeptRecordsContract,
    PagesContract,
    TogetherContract,
):
    """Run for each store; the class that derives from it gives `store`."""
