"""Forms that a portal offers its people, and what lets them fill one in without another code."""

from django.db import models
from django.db.models.functions import Now

from portal.forms.models import PublicForm

from .models import Portal, PortalUser


class PortalOffer(models.Model):
    """A public form of the organization that people of a portal find inside; shown to them while it is open."""

    id = models.BigAutoField(primary_key=True)
    portal = models.ForeignKey(Portal, on_delete=models.CASCADE, related_name="offers", db_index=False)
    form = models.ForeignKey(PublicForm, on_delete=models.CASCADE, related_name="offers")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "form that a portal offers"
        verbose_name_plural = "forms that portals offer"
        constraints = [models.UniqueConstraint(fields=["portal", "form"], name="portal_offers_form_once")]

    def __str__(self) -> str:
        return f"{self.form}"


class PortalHandover(models.Model):
    """One way of a person from the portal into a form: the number was proved at the door, and counts once there.

    The proof holds as long as the person is logged in and has still the number that stands in the begun submission. Its
    id is what the submission keeps as the id of its proof, so that it serves once; the row itself goes after a day.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(PortalUser, on_delete=models.CASCADE, related_name="handovers")
    form = models.ForeignKey(PublicForm, on_delete=models.CASCADE, related_name="+", db_index=False)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = "way from a portal into a form"
        verbose_name_plural = "ways from portals into forms"
        indexes = [models.Index(fields=["expires_at"], name="portal_handover_by_end")]

    def __str__(self) -> str:
        return f"from the portal into {self.form}"
