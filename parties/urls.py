"""The URLs of the Configuration Modules, relative to `/ocpi/`; a trailing slash changes nothing."""

from django.urls import re_path

from parties import views

urlpatterns = [
    re_path(r"^versions/?$", views.VersionsView.as_view(), name="versions"),
    re_path(r"^(?P<version>[^/]+)/?$", views.VersionDetailsView.as_view(), name="version-details"),
    re_path(
        r"^(?P<version>[^/]+)/credentials/?$", views.CredentialsView.as_view(), name="credentials"
    ),
]
