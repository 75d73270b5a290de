"""Which URL belongs to whom: OCPI below `/ocpi/`, the operators' console below `/admin/`."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("ocpi/", include("hub.urls")),
    path("admin/two-factor/", include("operators.urls")),
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(url="/admin/")),
]
