def mask_phone(e164: str) -> str:
    return e164[:3] + "•••••" + e164[-2:]
def mask_email(email: str) -> str:
    return email[:1] + "•••@" + email.partition("@")[2]
def mask_ip(ip: str) -> str:
    return ip
