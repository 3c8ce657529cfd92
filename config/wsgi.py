"""WSGI entry point, for gunicorn."""

import os

from config.launcher.environment import load_running_environment

load_running_environment()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from config.garbage import calm_collector  # noqa: E402

application = get_wsgi_application()
get_resolver().url_patterns  # noqa: B018 - the pages are imported now and not by the first visitor
calm_collector()
