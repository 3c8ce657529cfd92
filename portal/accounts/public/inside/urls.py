"""The addresses of who is logged in, below those of the portal; their names begin with `portal:`."""

from django.urls import path

from .views import leaving, looking, number, profile, security, wishes

urlpatterns = [
    path("home", looking.home, name="home"),
    path("messages", looking.messages, name="messages"),
    path("forms", looking.forms, name="forms"),
    path("help", looking.help_page, name="help"),
    path("profile", profile.profile, name="profile"),
    path("number", number.number, name="number"),
    path("preferences", wishes.wishes, name="wishes"),
    path("security", security.security, name="security"),
    path("security/logins/<uuid:pk>", security.end_login, name="end_login"),
    path("security/everywhere", security.end_everywhere, name="end_everywhere"),
    path("security/password", security.password, name="own_password"),
    path("security/passkeys/<uuid:pk>/remove", security.remove_passkey, name="remove_passkey"),
    path("data", leaving.data, name="data"),
    path("data/file", leaving.data_file, name="data_file"),
    path("leave", leaving.leave, name="leave"),
]
