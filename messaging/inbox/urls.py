"""Addresses of the inbox, below /o/{slug}/inbox/."""

from django.urls import path

from .views import canned, conversations, media, rules, thread

app_name = "inbox"
urlpatterns = [
    path("", conversations.conversation_list, name="list"),
    path("news/", conversations.news, name="news"),
    path("count/", conversations.count, name="count"),
    path("measure/", thread.measure_reply, name="measure"),
    path("replies/", canned.reply_list, name="canned"),
    path("replies/new/", canned.reply_new, name="canned_new"),
    path("replies/<uuid:pk>/", canned.reply_edit, name="canned_edit"),
    path("replies/<uuid:pk>/delete/", canned.reply_delete, name="canned_delete"),
    path("rules/", rules.rule_list, name="rules"),
    path("rules/new/", rules.rule_new, name="rule_new"),
    path("rules/try/", rules.try_rules, name="rules_try"),
    path("rules/<uuid:pk>/", rules.rule_edit, name="rule_edit"),
    path("rules/<uuid:pk>/change/", rules.rule_act, name="rule_act"),
    path("hours/", rules.office_hours, name="hours"),
    path("media/<uuid:pk>/", media.medium, name="medium"),
    path("with/<uuid:pk>/", thread.open_conversation, name="open"),
    path("<uuid:pk>/", thread.show, name="thread"),
    path("<uuid:pk>/texts/", thread.texts, name="texts"),
    path("<uuid:pk>/reply/", thread.send_reply, name="reply"),
    path("<uuid:pk>/read/", thread.read, name="read"),
    path("<uuid:pk>/state/", thread.change_state, name="state"),
    path("<uuid:pk>/assign/", thread.assign, name="assign"),
]
