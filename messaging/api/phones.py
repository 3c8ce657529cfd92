"""Numbers as callers write them, in bodies and in addresses."""

from integrations.organizations.models import Organization
from integrations.phones import Phone, PhoneProblem, parse_phone

from .problems import invalid


def read_phone(raw: str, *, organization: Organization, field: str) -> Phone:
    """Return the number in any writing, without + as one of the organization's region; raise ApiProblem."""
    try:
        return parse_phone(raw, region=organization.default_region, allow_magic=True)
    except PhoneProblem as problem:
        raise invalid(field, problem.code, problem.message) from problem


def from_address(raw: str) -> str:
    """Mend a number in a query: a + that was not written as %2B arrives as a blank."""
    return f"+{raw[1:]}" if raw[:1] == " " and raw[1:2].isdigit() else raw
