"""ASGI entry point, for servers that speak it."""

import os

from config.launcher.environment import load_running_environment

load_running_environment()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.asgi import get_asgi_application  # noqa: E402

application = get_asgi_application()
