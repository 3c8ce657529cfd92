"""Where webhooks of others come in: `/hooks/automations/{key}`."""

from django.urls import path

from .hook_views import hook

urlpatterns = [path("<str:automation_key>", hook, name="hook-automation")]
