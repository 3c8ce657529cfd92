"""The wing's admin, one room after the other."""

import portal.accounts.admin
import portal.forms.admin  # noqa: F401
