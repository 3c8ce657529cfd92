"""Who can carry platform SMS: a registry of kinds of carriers, each by the mode of its connections.

A kind of its own is a module with a Provider, registered below.
"""

from .base import Gateway, Provider, gateway_for, provider_of, providers, register
from .sandbox import SANDBOX
from .twilio import TWILIO
from .webhook import WEBHOOK

for one in (TWILIO, WEBHOOK, SANDBOX):
    register(one)

__all__ = ["SANDBOX", "TWILIO", "WEBHOOK", "Gateway", "Provider", "gateway_for", "provider_of", "providers", "register"]
