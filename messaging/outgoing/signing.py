"""How our calls are signed: with the same header as platform SMS, so that one check in the receiver fits both."""

from integrations.platform_sms.providers.webhook import ID_HEADER, SIGNATURE_HEADER, sign

__all__ = ["ID_HEADER", "SIGNATURE_HEADER", "header_of"]


def header_of(body: bytes, *, secrets: tuple[str, ...], at: int) -> str:
    """Return the signature's header: `t=…,v1=…`, and one more `v1` for each further secret that is still good."""
    signed = [sign(body, secret=secret, at=at) for secret in secrets]
    return ",".join([signed[0], *(one.partition(",")[2] for one in signed[1:])]) if signed else ""
