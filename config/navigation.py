"""The sidebar and look of the member shell, in Unfold's words."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from integrations.organizations.badges import badge_of
from integrations.organizations.roles import Capability


def unfold_settings() -> dict[str, Any]:
    """Return the UNFOLD setting."""
    return {
        "SITE_TITLE": "Heliograph",
        "SITE_HEADER": site_header,
        "SITE_SUBHEADER": site_subheader,
        "SITE_URL": None,
        "SITE_SYMBOL": "wb_twilight",
        "SITE_DROPDOWN": site_dropdown,
        "SITE_FAVICONS": [
            {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("heliograph/favicon.svg")}
        ],
        "SHOW_HISTORY": False,
        "SHOW_VIEW_ON_SITE": False,
        "ENVIRONMENT": "config.navigation.environment",
        "STYLES": [lambda request: static("heliograph/app.css")],
        "SCRIPTS": [
            lambda request: static("heliograph/app.js"),
            lambda request: static("heliograph/inbox.js"),
        ],
        "BORDER_RADIUS": "8px",
        "COLORS": {
            "primary": {
                "50": "oklch(97% .02 240)",
                "100": "oklch(93.5% .04 242)",
                "200": "oklch(88% .07 243)",
                "300": "oklch(80% .105 244)",
                "400": "oklch(70% .14 247)",
                "500": "oklch(60% .15 250)",
                "600": "oklch(52% .15 253)",
                "700": "oklch(45% .135 255)",
                "800": "oklch(39% .11 256)",
                "900": "oklch(34% .09 257)",
                "950": "oklch(25% .065 258)",
            }
        },
        "ACCOUNT": {"navigation": "config.navigation.account_links"},
        "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": "config.navigation.sidebar"},
    }


def site_header(request: HttpRequest) -> str:
    """Return the organization's name, which heads the sidebar."""
    organization = getattr(request, "organization", None)
    return organization.name if organization else "Heliograph"


def site_subheader(request: HttpRequest) -> str:
    """Return the line below it."""
    return "Heliograph" if getattr(request, "organization", None) else "Operator"


def site_dropdown(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the way to another organization."""
    links = [{"icon": "swap_horiz", "title": "Switch organization", "link": "/organizations/"}]
    if getattr(request.user, "is_operator", False):
        links.append({"icon": "dns", "title": "Operator pages", "link": "/operator/"})
    return links


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the links under the member's own name."""
    is_inside = getattr(request, "member", None) is not None
    return [
        *([{"title": "Your phone number", "link": reverse("organizations:me")}] if is_inside else ()),
        {"title": "Your account", "link": "/accounts/email/"},
        {"title": "Two-factor sign-in", "link": "/accounts/2fa/"},
        {"title": "Change password", "link": "/accounts/password/change/"},
        {"title": "Switch organization", "link": "/organizations/"},
    ]


def environment(request: HttpRequest) -> list[str] | None:
    """Return the badge beside the title; the SANDBOX badge stands on the pages themselves, next to what it is about."""
    return None


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of the sidebar that the member's role reaches."""
    member = getattr(request, "member", None)
    if member is None:
        return _operator_sidebar(request.path)

    def item(title: str, icon: str, route: str, capability: Capability = Capability.VIEW) -> dict[str, Any] | None:
        if not member.can(capability):
            return None
        link = reverse(route)
        # The theme goes by the beginning of the address, with which every page begins like the dashboard.
        here = request.path == link if route == "home" else request.path.startswith(link)
        if route == "messages:log":
            others = (reverse("messages:send"), reverse("messages:limits"))
            here = here and not request.path.startswith(others)
        if route == "organizations:settings":
            here = here or request.path.startswith(reverse("messages:limits"))
        entry = {"title": title, "icon": icon, "link": link, "active": here}
        if badge := badge_of(route, request):
            entry |= {"badge": badge, "badge_variant": "primary", "badge_style": "solid"}
        return entry

    groups = [
        (
            "",
            [
                item("Dashboard", "space_dashboard", "home"),
                item("Alerts", "notifications", "alerts:list"),
                item("Send SMS", "send", "messages:send", Capability.SEND),
                item("Inbox", "inbox", "inbox:list"),
                item("Broadcasts", "campaign", "broadcasts:list"),
                item("Automations", "account_tree", "automations:list"),
                item("Messages", "forum", "messages:log"),
                item("Verifications", "pin", "verifications:list"),
                item("Contacts", "contacts", "contacts:list"),
                item("Templates", "description", "templates:list"),
                item("Forms", "dynamic_form", "forms:list"),
                item("Portals", "badge", "portals:list", Capability.PORTAL_PEOPLE),
                item("Opt-outs", "do_not_disturb_on", "consent:list"),
                item("Consent", "fact_check", "consents:report"),
            ],
        ),
        (
            "Integration",
            [
                item("System services", "hub", "connections:services", Capability.MANAGE_CONNECTIONS),
                item("Sandbox", "science", "sandbox:home", Capability.VIEW),
                item("Credits", "toll", "credits:statement", Capability.MANAGE_CONNECTIONS),
                item("API keys", "key", "organizations:api_keys", Capability.MANAGE_KEYS),
            ],
        ),
        (
            "Organization",
            [
                item("Members", "group", "organizations:members", Capability.MANAGE_MEMBERS),
                item("Settings", "tune", "organizations:settings", Capability.MANAGE_ORGANIZATION),
                item("Audit log", "history", "organizations:audit", Capability.VIEW_AUDIT),
                item("All records", "database", "admin:index"),
            ],
        ),
    ]
    return [
        {"title": title, "separator": bool(title), "items": [entry for entry in items if entry]}
        for title, items in groups
        if any(items)
    ]


def _operator_sidebar(path: str) -> list[dict[str, Any]]:
    is_platform = path.startswith("/operator/platform-sms/")
    return [
        {
            "title": "Operator",
            "items": [
                {
                    "title": "Organizations",
                    "icon": "domain",
                    "link": "/operator/",
                    "active": path.startswith("/operator/") and not is_platform,
                },
                {"title": "Platform SMS", "icon": "toll", "link": "/operator/platform-sms/", "active": is_platform},
                {"title": "All records", "icon": "database", "link": "/admin/"},
            ],
        }
    ]
