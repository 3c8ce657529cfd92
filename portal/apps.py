from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Whom the outside world meets: public forms and external portals."""

    name = "portal"
    verbose_name = "Portal"

    def ready(self) -> None:
        from integrations.organizations.audit_sentences import register_sentences
        from integrations.organizations.badges import register_badge
        from messaging.api.registry import register_router
        from messaging.contacts.erasure.erasers import register_eraser
        from messaging.contacts.timeline import register_timeline_source
        from messaging.demo import register_demo_part
        from messaging.retention.kept import register_kept
        from messaging.verification.asker_names import register_asker_names
        from portal.accounts import (
            domains,
            invitations,
            inviting_many,
            moving,
            notifying,
            offering,
            people,
            profile,
            registering,
            setting_up,
            telling,
            texts,
        )
        from portal.accounts import exporting as people_exporting
        from portal.accounts.api import router as portals_router
        from portal.accounts.demo import make_demo_portal
        from portal.accounts.erasing import forget_portal_people
        from portal.accounts.handing_over import read_ticket, vouch, way_back
        from portal.accounts.selectors import names_of, waiting_badge
        from portal.accounts.story import portals_of
        from portal.accounts.views.frame import FORM_PAGES, frame_of_form
        from portal.automations import ready as automations
        from portal.forms import building, exporting, forgetting, pictures, removing, settling
        from portal.forms.arriving import register_arrivals, register_way_back
        from portal.forms.erasing import forget_submissions
        from portal.forms.proof import register_voucher
        from portal.forms.selectors import titles_of
        from portal.forms.story import submissions_of
        from portal.forms.views.frame import register_mount

        inviting = (invitations, inviting_many, notifying, people, people_exporting, telling)
        accounts = (*inviting, domains, moving, offering, profile, registering, setting_up, texts)
        for room in (building, exporting, forgetting, pictures, removing, settling, *accounts):
            register_sentences(room.SENTENCES)
        register_kept(forgetting.KEPT)
        register_router("/portals", portals_router, tag="Portals")
        register_timeline_source("submissions", submissions_of)
        register_timeline_source("portals", portals_of)
        register_eraser("people of portals", forget_portal_people)
        register_eraser("submissions of forms", forget_submissions)
        register_asker_names("form", titles_of)
        register_asker_names("portal", names_of)
        register_badge("portals:list", waiting_badge)
        register_arrivals(read_ticket)
        register_voucher(vouch)
        register_way_back(way_back)
        register_demo_part(make_demo_portal)
        register_mount(FORM_PAGES, serves="portal", frame=frame_of_form)
        automations.register_room()
