"""The wing's admin, one room after the other."""

import messaging.alerts.admin
import messaging.automations.admin
import messaging.automations.building_admin
import messaging.automations.trigger_admin
import messaging.broadcasts.admin
import messaging.consent.admin
import messaging.contact_files.admin
import messaging.contacts.admin
import messaging.csv_files.admin
import messaging.dashboard.admin
import messaging.inbound.admin
import messaging.inbox.admin
import messaging.jobs.admin
import messaging.outgoing.admin
import messaging.pricing.admin
import messaging.receipts.admin
import messaging.retention.admin
import messaging.sending.admin
import messaging.templates.admin
import messaging.verification.admin
import messaging.verification.limit_admin  # noqa: F401
