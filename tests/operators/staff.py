"""The people at the console, each in one of the hub's groups."""

from django.contrib.auth.models import Group, User
from django.test import Client

from operators.groups import Role

PASSWORD = "correct horse battery staple"


def person(name: str, role: Role | None = None) -> User:
    """Return a user of the console in a role."""
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    if role is not None:
        user.groups.add(Group.objects.get(name=role.group))
    return user


def console(user: User) -> Client:
    """Return a browser in which the user is logged in."""
    client = Client()
    client.force_login(user)
    return client
