"""The HTTP interface `/api/v1` (docs/api.md)."""

from litestar import Router

from passless.server.api import about, accounts, description, lists, operators, proving, relying_parties, reports
from passless.server.api.routing import Interface
from passless.server.batches import Batches
from passless.server.site import Site

OPERATIONS = (
    about.about,
    accounts.list_accounts,
    accounts.create_account,
    accounts.read_account,
    accounts.plan,
    accounts.apply,
    accounts.enrolment_problems,
    proving.begin_ceremony,
    proving.make_enrol_link,
    proving.begin_passkey,
    proving.finish_ceremony,
    proving.sign_in,
    proving.recover,
    proving.check_recovery_code,
    proving.sign_out,
    lists.list_app_passwords,
    lists.list_sessions,
    lists.list_tokens,
    lists.list_passes,
    lists.list_devices,
    lists.list_hardware_keys,
    reports.what_if,
    reports.next_steps,
    reports.seen,
    reports.check,
    reports.events,
    operators.list_operators,
    operators.list_invitations,
    operators.invite,
    operators.look_at_invitation,
    operators.revoke_invitation,
    relying_parties.list_relying_parties,
    relying_parties.add_relying_party,
    relying_parties.renew_relying_party_secret,
    relying_parties.plan_relying_party,
    relying_parties.change_relying_party,
    relying_parties.remove_relying_party,
)


def router(site: Site) -> Router:
    """Return the description of the interface, the one address that is a usual route."""
    return Router("/", route_handlers=[description.route(OPERATIONS)])


def at_once(site: Site, batches: Batches) -> Interface:
    """Return the interface itself."""
    return Interface(OPERATIONS, site, batches)
