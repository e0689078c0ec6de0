"""Programs that sign people in: registered, changed and forgotten by whoever owns the store, or by an operator over all."""

from __future__ import annotations

from passless.domain.party_changes import RelyingPartyChange
from passless.domain.relying_parties import MadeRelyingParty, NewRelyingParty
from passless.domain.views import ChangedRelyingParty
from tests.directories.place import Place
from tests.directories.sentences import refused

ONE, OTHER = "https://wiki.example/a", "https://wiki.example/b"


def registered(place: Place, name: str = "wiki") -> MadeRelyingParty:
    new = NewRelyingParty(name=name, kind="oidc", redirect_uris=(ONE,))
    made = place.directory.add_relying_party(place.operator("a new one"), new)
    assert made.secret is not None
    place.keep_secret(made.secret)
    return made


class RelyingPartySentences:
    """What may be changed of one, and how it is said beforehand."""

    def test_a_relying_party_is_changed_and_keeps_its_id(self, place: Place) -> None:
        made, actor = registered(place), place.operator("it moved")
        change = RelyingPartyChange(
            name="Wiki 2", add_redirect_uris=(OTHER,), remove_redirect_uris=(ONE,), requires="two-factors"
        )
        plan = place.directory.plan_relying_party(actor, "WIKI", change)
        assert [one.name for one in place.directory.relying_parties(actor)] == ["wiki"], "a plan keeps nothing"
        applied = place.directory.change_relying_party(actor, "wiki", change)
        assert applied.plan == plan
        assert plan.change["changes"] == {
            "name": {"before": "wiki", "after": "Wiki 2"},
            "redirect_uris": {"before": [ONE], "after": [OTHER]},
            "requires": {"before": "any", "after": "two-factors"},
        }
        now = applied.made
        assert isinstance(now, ChangedRelyingParty)
        (listed,) = place.directory.relying_parties(actor)
        assert (listed.id, listed.name, listed.redirect_uris, listed.requires) == (made.id, "Wiki 2", (OTHER,), "two-factors")
        assert (now.id, now.name, now.ended, listed.created_at) == (made.id, "Wiki 2", (), made.created_at)
        (event,) = (one for one in place.store.events() if one.event == "change-relying-party")
        said = {"relying-party": made.id, "name": "wiki", "new_name": "Wiki 2", "reason": "it moved"}
        assert said.items() <= event.details.items()
        assert event.details["redirect_uris"] == f"{ONE} → {OTHER}"

    def test_a_change_that_changes_nothing_is_no_event(self, place: Place) -> None:
        registered(place)
        same = RelyingPartyChange(name="wiki", redirect_uris=(ONE,), requires="any", services=())
        applied = place.directory.change_relying_party(place.operator("again"), "wiki", same)
        assert applied.plan is not None
        assert [one.code for one in applied.plan.effects] == ["nothing-changes"]
        assert not [one for one in place.store.events() if one.event == "change-relying-party"]

    def test_what_cannot_be_is_refused_and_nothing_is_kept(self, place: Place) -> None:
        registered(place)
        registered(place, "mail")
        actor = place.operator("a slip")
        for change, code in (
            (RelyingPartyChange(), "bad-relying-party"),
            (RelyingPartyChange(name="MAIL"), "name-in-use"),
            (RelyingPartyChange(name=""), "bad-name"),
            (RelyingPartyChange(redirect_uris=()), "bad-redirect-uri"),
            (RelyingPartyChange(remove_redirect_uris=(OTHER,)), "bad-redirect-uri"),
            (RelyingPartyChange(redirect_uris=(ONE,), add_redirect_uris=(OTHER,)), "bad-redirect-uri"),
            (RelyingPartyChange(add_redirect_uris=("http://wiki.example/",)), "bad-redirect-uri"),
            (RelyingPartyChange(requires="love"), "bad-relying-party"),
            (RelyingPartyChange(services=("imap",)), "bad-relying-party"),
            (RelyingPartyChange(told_of_endings_at="https://wiki.example/#x"), "bad-redirect-uri"),
        ):
            for act in (place.directory.plan_relying_party, place.directory.change_relying_party):
                with refused(code):
                    act(actor, "wiki", change)
        with refused("no-such-relying-party"):
            place.directory.change_relying_party(actor, "nothing", RelyingPartyChange(name="x"))
        assert [one.redirect_uris for one in place.directory.relying_parties(actor)] == [(ONE,), (ONE,)]
