"""WSGI entry point, for gunicorn."""

import os

from config.launcher.environment import load_running_environment

load_running_environment()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()
