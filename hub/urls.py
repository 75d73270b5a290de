"""OCPI below `/ocpi/`: the parties' configuration modules, then one view for all the rest."""

from django.urls import include, re_path

from hub.views import FunctionalModuleView, NowhereView

urlpatterns = [
    re_path(
        r"^(?P<version>[0-9][0-9.]*)/(?P<interface>sender|receiver)/(?P<module>[a-z]+)(?:/|$)",
        FunctionalModuleView.as_view(),
    ),
    re_path("", include("parties.urls")),
    re_path("", NowhereView.as_view()),
]
