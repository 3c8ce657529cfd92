"""Forms of the room."""

from messaging.contacts.forms import PhoneForm


class OptOutForm(PhoneForm):
    """The number of somebody who asked, in whatever way, not to be written to."""
