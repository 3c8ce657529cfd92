"""Users made by somebody else than themselves: by a command or an invitation."""

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from .models import User
from .problems import OrganizationProblem


def find_person(email: str) -> User | None:
    """Return the user of that address, in any case of letters."""
    return User.objects.filter(email__iexact=email.strip()).first()


def create_person(*, email: str, password: str, name: str = "") -> User:
    """Create a user whose address the operator vouches for; OrganizationProblem says what is wrong with the input."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise OrganizationProblem("bad_email", f"“{email}” is no e-mail address.", field="email") from error
    try:
        validate_password(password, User(email=email, name=name))
    except ValidationError as error:
        raise OrganizationProblem("weak_password", " ".join(error.messages), field="password") from error
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, password, name=name)
            EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    except IntegrityError as error:
        raise OrganizationProblem("email_taken", f"{email} has an account already.", field="email") from error
    return user
