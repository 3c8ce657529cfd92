"""Celery: how tasks travel. Rows in PostgreSQL say what is to be done; a lost task costs seconds, never a message."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready
from kombu import Queue

from config.garbage import calm_collector
from config.launcher.environment import load_running_environment

load_running_environment()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings  # noqa: E402

FAST, CHORES, JOBS = "fast", "chores", "jobs"

app = Celery("heliograph")
app.conf.update(
    broker_url=settings.REDIS_URL,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": 900,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "health_check_interval": 10,
        "socket_keepalive": True,
        "socket_connect_timeout": 2,
    },
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=30,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    # Named exchanges lose their bindings when Redis is emptied; the queue itself is addressed instead.
    task_queues=[Queue(name, exchange="", routing_key=name) for name in (FAST, CHORES, JOBS)],
    task_default_queue=CHORES,
    task_default_exchange="",
    task_default_routing_key=CHORES,
    timezone="UTC",
    beat_schedule={
        "nudge-forgotten": {"task": "messaging.sending.sweep_queued", "schedule": 2.0, "options": {"expires": 10}},
        "expired-leases": {"task": "messaging.sending.sweep_leases", "schedule": 5.0, "options": {"expires": 10}},
        "reconcile-unknown": {"task": "messaging.sending.reconcile", "schedule": 2.0, "options": {"expires": 10}},
        "poll-unfinished": {"task": "messaging.sending.poll", "schedule": 10.0, "options": {"expires": 20}},
        "apply-callbacks": {"task": "messaging.receipts.apply_pending", "schedule": 2.0, "options": {"expires": 10}},
        "forget-callbacks": {"task": "messaging.receipts.clean_up", "schedule": 3600.0, "options": {"expires": 3600}},
        "fetch-media": {"task": "messaging.inbound.fetch_media", "schedule": 10.0, "options": {"expires": 20}},
        "feed-broadcasts": {"task": "messaging.broadcasts.feed", "schedule": 1.0, "options": {"expires": 5}},
        "unattended-jobs": {"task": "messaging.jobs.sweep", "schedule": 3.0, "options": {"expires": 10}},
        "sweep-automations": {"task": "messaging.automations.sweep", "schedule": 1.0, "options": {"expires": 5}},
        "forget-happenings": {
            "task": "messaging.automations.clean_up",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        "forget-shown-rows": {
            "task": "messaging.contact_files.forget",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        "forget-uploads": {"task": "messaging.csv_files.forget", "schedule": 3600.0, "options": {"expires": 3600}},
        "forget-form-drafts": {"task": "portal.forms.forget", "schedule": 3600.0, "options": {"expires": 3600}},
        "remind-invited": {"task": "portal.accounts.remind", "schedule": 60.0, "options": {"expires": 60}},
        "forget-invited-rows": {
            "task": "portal.accounts.forget_rows",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        "forget-portal-visits": {
            "task": "portal.accounts.forget_visits",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        # Reading long lists is heavy: it must not share an interpreter with a sending engine.
        "search-prices": {
            "task": "messaging.pricing.search",
            "schedule": 20.0,
            "options": {"expires": 20, "queue": JOBS},
        },
        "remove-texts": {"task": "messaging.retention.redact", "schedule": 300.0, "options": {"expires": 300}},
        "remove-at-twilio": {
            "task": "messaging.retention.remove_at_twilio",
            "schedule": 15.0,
            "options": {"expires": 30},
        },
        "watch-for-alerts": {"task": "messaging.alerts.watch", "schedule": 30.0, "options": {"expires": 30}},
        "mail-alerts": {"task": "messaging.alerts.send_letters", "schedule": 15.0, "options": {"expires": 15}},
        "count-messages": {"task": "messaging.dashboard.follow_log", "schedule": 5.0, "options": {"expires": 5}},
        "count-anew": {
            "task": "messaging.dashboard.count_anew",
            "schedule": 6 * 3600.0,
            "options": {"expires": 3600, "queue": JOBS},
        },
        "sweep-verifications": {
            "task": "messaging.verification.sweep",
            "schedule": 20.0,
            "options": {"expires": 20},
        },
        "ask-about-codes": {
            "task": "messaging.verification.ask_twilio",
            "schedule": 120.0,
            "options": {"expires": 120, "queue": JOBS},
        },
        "forget-limits": {
            "task": "messaging.verification.forget_limits",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        "clean-up": {"task": "messaging.sending.clean_up", "schedule": 3600.0, "options": {"expires": 3600}},
    },
)
# Rooms keep their own tasks; autodiscovery would find only <app>.tasks.
app.conf.imports = (
    "messaging.alerts.tasks",
    "messaging.automations.tasks",
    "messaging.dashboard.tasks",
    "messaging.broadcasts.tasks",
    "messaging.contact_files.tasks",
    "messaging.csv_files.tasks",
    "messaging.inbound.tasks",
    "messaging.jobs.tasks",
    "messaging.pricing.tasks",
    "messaging.receipts.tasks",
    "messaging.retention.tasks",
    "messaging.sending.tasks",
    "messaging.verification.tasks",
    "messaging.verification.limit_tasks",
    "portal.accounts.people_tasks",
    "portal.accounts.door_tasks",
    "portal.forms.tasks",
)


@worker_ready.connect
def _settle_down(**_: Any) -> None:
    calm_collector()
