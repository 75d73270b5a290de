"""The URLs where the second factor is given and enrolled; below the console, before its own."""

from django.urls import path

from operators import views

app_name = "two_factor"
urlpatterns = [
    path("", views.two_factor, name="two_factor"),
    path("verify/", views.verify, name="verify"),
]
