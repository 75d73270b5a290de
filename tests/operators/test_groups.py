"""Who may do what: the four groups, complete for every model there is."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.urls import reverse

from operators.groups import SHOWN_TO_ALL, Role, least_role
from parties.models import Agreement, Platform
from tests.factories import PlatformFactory
from tests.operators.staff import console, person

pytestmark = pytest.mark.django_db


def held(role: Role) -> set[str]:
    """Return what a group may do, as app.codename."""
    of = Permission.objects.filter(group__name=role.group)
    return {f"{app}.{name}" for app, name in of.values_list("content_type__app_label", "codename")}


def test_the_groups_are_there_after_migrating() -> None:
    """Nobody has to make them."""
    assert {role.group for role in Role} <= set(Group.objects.values_list("name", flat=True))


@pytest.mark.parametrize("role", list(Role)[1:])
def test_each_role_may_what_the_one_before_may_and_more(role: Role) -> None:
    """Viewer, support, operator, administrator: each contains the former."""
    assert held(Role(role - 1)) < held(role)


def test_every_permission_of_every_model_belongs_to_a_role() -> None:
    """The administrator holds all there are, also of models added later."""
    codes = {
        f"{model._meta.app_label}.{verb}_{model._meta.model_name}"
        for model in apps.get_models()
        for verb in model._meta.default_permissions
    }
    assert codes <= held(Role.ADMINISTRATOR)
    assert held(Role.ADMINISTRATOR) == {
        f"{app}.{name}"
        for app, name in Permission.objects.values_list("content_type__app_label", "codename")
    }


def test_a_viewer_sees_every_page_of_the_hub_and_changes_nothing() -> None:
    """Of each model of the hub in the console view, of none anything else."""
    viewed = held(Role.VIEWER)
    pages = [model for model in admin.site._registry if model._meta.app_label in SHOWN_TO_ALL]
    assert pages
    assert {f"{model._meta.app_label}.view_{model._meta.model_name}" for model in pages} <= viewed
    assert all(code.partition(".")[2].startswith("view_") for code in viewed)


def test_what_the_table_does_not_name_is_changed_by_administrators_only() -> None:
    """A model added later is safe before anybody thinks of it."""
    assert least_role("hub", "change_newcomer") is Role.ADMINISTRATOR
    assert least_role("hub", "view_newcomer") is Role.VIEWER
    assert least_role("elsewhere", "view_newcomer") is Role.ADMINISTRATOR
    assert least_role("hub", "reveal_newcomer") is Role.OPERATOR


def test_accounts_are_the_administrators_alone() -> None:
    """Whoever could see or change accounts could become anybody."""
    for role in (Role.VIEWER, Role.SUPPORT, Role.OPERATOR):
        assert not {code for code in held(role) if code.startswith(("auth.", "otp_"))}


def test_support_redrives_and_operators_agree() -> None:
    """Support works on what is stuck, operators on who exchanges what, both see what they need."""
    assert {"hub.change_deadletter", "hub.change_subscription"} <= held(Role.SUPPORT)
    assert {"hub.change_quarantined", "hub.export_objects"} <= held(Role.SUPPORT)
    assert not {"parties.change_agreement", "operators.view_change"} & held(Role.SUPPORT)
    assert {"parties.change_agreement", "parties.add_platform"} <= held(Role.OPERATOR)
    assert "operators.view_change" in held(Role.OPERATOR)


def test_migrating_again_brings_a_group_in_line() -> None:
    """What was given to a role by hand lasts until the next migration."""
    group = Group.objects.get(name="viewer")
    group.permissions.set(Permission.objects.filter(codename="change_agreement"))
    call_command("migrate", verbosity=0)
    assert "parties.change_agreement" not in held(Role.VIEWER)
    assert "parties.view_agreement" in held(Role.VIEWER)


def test_a_viewer_at_the_console_can_read_and_not_write() -> None:
    """The pages open; saving and actions are refused."""
    platform = PlatformFactory.create(name="P1")
    viewer = console(person("vera", Role.VIEWER))
    page = reverse("admin:parties_platform_change", args=[platform.pk])
    assert viewer.get(page).status_code == 200
    assert viewer.post(page, {"name": "other"}).status_code == 403
    suspend = reverse("admin:parties_platform_suspend", args=[platform.pk])
    assert viewer.post(suspend).status_code == 403
    assert viewer.get(reverse("admin:parties_agreement_add")).status_code == 403
    assert viewer.get(reverse("admin:auth_user_changelist")).status_code == 403
    assert viewer.get(reverse("admin:operators_change_changelist")).status_code == 403
    assert Platform.objects.get().name == "P1"
    assert not Agreement.objects.exists()
