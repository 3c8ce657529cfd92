"""Addresses of the room."""

app_name = "connections"
urlpatterns: list = []
