"""Texts of strangers on pages."""

from django import template

from messaging.inbox.display import readable

register = template.Library()
register.filter("readable", readable)
