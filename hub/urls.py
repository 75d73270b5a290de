"""The URLs below `/ocpi/` that Django serves: client info and the configuration modules.

Those of functional modules have no view: `hub.exchange` answers them.
"""

from django.urls import include, re_path

from hub.client_info.views import ClientInfoListView, ClientInfoView
from hub.gateway.endpoint import CLIENT_INFO, CLIENT_INFO_LIST
from hub.views import NowhereView

urlpatterns = [
    re_path(CLIENT_INFO_LIST, ClientInfoListView.as_view()),
    re_path(CLIENT_INFO, ClientInfoView.as_view()),
    re_path("", include("parties.urls")),
    re_path("", NowhereView.as_view()),
]
