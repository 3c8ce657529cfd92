"""The wing's admin, one room after the other."""

import portal.forms.admin  # noqa: F401
