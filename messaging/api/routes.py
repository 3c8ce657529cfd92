"""What the API offers. Rooms of this wing are added here, those of the upper one register themselves before."""

from .application import HeliographApi
from .automations import router as automations
from .broadcasts import router as broadcasts
from .consents import router as consents
from .contacts import router as contacts
from .events import router as events
from .me import router as me
from .messages import router as messages
from .opt_outs import router as opt_outs
from .registry import registered
from .templates import router as templates
from .verifications import router as verifications

api = HeliographApi()
api.add_router("/messages", messages, tags=["Messages"])
api.add_router("/broadcasts", broadcasts, tags=["Broadcasts"])
api.add_router("/automations", automations, tags=["Automations"])
api.add_router("/contacts", contacts, tags=["Contacts"])
api.add_router("/templates", templates, tags=["Templates"])
api.add_router("/opt-outs", opt_outs, tags=["Opt-outs"])
api.add_router("/consents", consents, tags=["Consent"])
api.add_router("/verifications", verifications, tags=["Verifications"])
api.add_router("/events", events, tags=["Events"])
api.add_router("/me", me, tags=["Key"])
for room in registered():
    api.add_router(room.prefix, room.router, tags=[room.tag])
