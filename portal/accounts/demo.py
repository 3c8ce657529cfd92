"""The portal of the demo organization: switched on, so that one can register on a virtual phone and be approved."""

from integrations.organizations.models import Organization, User
from portal.forms.settling import change_form

from . import setting_up

_LOOK = {
    "description": "Slots, delivery notes and news from the gate, for everybody who drives for us.",
    "languages": ["en", "es", "de", "ar"],
    "color": "#0f6b5c",
}
_TERMS = {
    "en": "This is a demonstration: enter nothing that is secret.\n\nWhoever tries this demo sees what you enter.",
    "es": "Esto es una demostración: no escriba nada secreto.\n\nQuien pruebe esta demostración verá lo que escriba.",
}


def make_demo_portal(organization: Organization, owner: User) -> None:
    """Make the portal, where the organization has none."""
    if organization.portals.exists():
        return
    portal = setting_up.create_portal(organization, name="Driver portal", actor=owner)
    change_form(portal.form, values=_LOOK, actor=owner)
    drivers = setting_up.add_role(portal, name="Drivers", actor=owner)
    setting_up.add_role(portal, name="Warehouse", actor=owner)
    setting_up.set_default_role(portal, role=drivers, actor=owner)
    setting_up.publish_terms(portal, texts=_TERMS, actor=owner)
    setting_up.change_portal(portal, values={"may_apply_again": True, "reminder_days": 3}, actor=owner)
    setting_up.switch(portal, on=True, actor=owner)
