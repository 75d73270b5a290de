"""The URLs of the second factor; below the console's, and matched before its own."""

from django.urls import path

from operators import views

app_name = "two_factor"
urlpatterns = [
    path("", views.two_factor, name="two_factor"),
    path("verify/", views.verify, name="verify"),
]
