"""The URLs below `/ocpi/`: client info, one view for functional modules, configuration modules."""

from django.urls import include, re_path

from hub.client_info.views import ClientInfoListView, ClientInfoView
from hub.views import FunctionalModuleView, NowhereView

_CLIENT_INFO = r"^(?P<version>[0-9][0-9.]*)/{}/hubclientinfo{}/?$"

urlpatterns = [
    re_path(_CLIENT_INFO.format("sender", ""), ClientInfoListView.as_view()),
    re_path(
        _CLIENT_INFO.format("receiver", "/(?P<country_code>[^/]{2})/(?P<party_id>[^/]{3})"),
        ClientInfoView.as_view(),
    ),
    re_path(
        r"^(?P<version>[0-9][0-9.]*)/(?P<interface>sender|receiver)/(?P<module>[A-Za-z]+)(?:/|$)",
        FunctionalModuleView.as_view(),
    ),
    re_path("", include("parties.urls")),
    re_path("", NowhereView.as_view()),
]
