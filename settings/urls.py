"""Which URL belongs to whom: OCPI below `/ocpi/`, the operators' console below `/admin/`."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from operators import oidc_views, views

_PROVIDER = [
    path("", oidc_views.Start.as_view(), name="start"),
    path("callback/", oidc_views.Callback.as_view(), name="callback"),
]
urlpatterns = [
    path("ocpi/", include("hub.urls")),
    path("admin/two-factor/", include("operators.urls")),
    path("admin/oidc/", include((_PROVIDER, "oidc"))),
    path("admin/break-glass/<str:key>/", views.break_glass, name="break_glass"),
    # In place of the views that Django's admin has at these paths.
    path("admin/login/", views.log_in),
    path("admin/logout/", views.log_out),
    path("admin/password_change/", admin.site.admin_view(views.change_password)),
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(url="/admin/")),
]
