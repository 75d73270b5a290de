"""A quirk is one line of `parties.quirks.Quirks`: forms, commands and the audit follow from it."""

import pytest
from django.core.management import load_command_class
from django.urls import reverse

from operators.groups import Role
from operators.models import Change
from parties.models import Platform
from parties.quirks import QUIRKS, Quirks, Value
from tests.console.test_parties import platform_form
from tests.factories import PartyFactory
from tests.operators.staff import console, person
from tests.parties.commands import run_json

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform() -> Platform:
    """A platform without quirks."""
    platform: Platform = PartyFactory.create(platform__name="P1").platform
    return platform


def another(name: str) -> Value:
    """Return a value that is not the default."""
    quirk = QUIRKS[name]
    if quirk.words:
        return quirk.words[-1]
    return not quirk.default if isinstance(quirk.default, bool) else quirk.most


def page_of(platform: Platform) -> str:
    """Return the address of a platform's page."""
    return reverse("admin:parties_platform_change", args=[platform.pk])


@pytest.mark.parametrize("name", QUIRKS)
@pytest.mark.parametrize("command", ["invite_platform", "register_platform", "quirks"])
def test_the_help_of_a_command_names_it(command: str, name: str) -> None:
    """By the short name that people write, if it has one."""
    parser = load_command_class("parties", command).create_parser("manage.py", command)
    words = " ".join(parser.format_help().split())
    assert (QUIRKS[name].short or name) in words


@pytest.mark.parametrize("name", QUIRKS)
def test_a_command_changes_it(platform: Platform, name: str) -> None:
    """Under both of its names; all others stay."""
    value = another(name)
    written = {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
    for said in (name, QUIRKS[name].short or name):
        Platform.objects.update(quirks=Quirks())
        changed = run_json("quirks", "P1", f"{said}={written}")
        assert changed == {**Quirks().as_mapping(), name: value}


@pytest.mark.parametrize("name", QUIRKS)
def test_the_form_explains_and_saves_it_and_the_audit_has_both_values(
    platform: Platform, name: str
) -> None:
    """By who may change platforms."""
    olga = console(person("olga", Role.OPERATOR))
    html = olga.get(page_of(platform)).content.decode()
    assert QUIRKS[name].sentence.partition("'")[0] in html
    value = another(name)
    form = platform_form(platform, platform.allowed_parties.get())
    form[f"quirk_{name}"] = ("on" if value else "") if isinstance(value, bool) else value

    assert olga.post(page_of(platform), form).status_code == 302

    platform.refresh_from_db()
    assert platform.quirks == Quirks.from_mapping({name: value})
    changed = Change.objects.get(kind="parties.Platform")
    assert changed.before == {"quirks": Quirks().as_mapping()}
    assert changed.after == {"quirks": platform.quirks.as_mapping()}


@pytest.mark.parametrize("name", QUIRKS)
def test_an_empty_field_is_nothing_of_its_own(platform: Platform, name: str) -> None:
    """Of a switch: off; of a word the default."""
    platform.quirks = Quirks.from_mapping({name: another(name)})
    platform.save()
    form = platform_form(platform, platform.allowed_parties.get(), **{f"quirk_{name}": ""})
    olga = console(person("olga", Role.OPERATOR))
    assert olga.post(page_of(platform), form).status_code == 302
    platform.refresh_from_db()
    quirk = QUIRKS[name]
    assert platform.quirks.as_mapping()[name] == (quirk.default if quirk.words else 0)


@pytest.mark.parametrize("name", QUIRKS)
def test_a_value_of_the_other_kind_is_refused(name: str) -> None:
    """Wherever it comes from: a number is no switch, and no switch a number or a word."""
    wrong = 0 if isinstance(QUIRKS[name].default, bool) else True
    with pytest.raises(ValueError, match=name):
        Quirks.from_mapping({name: wrong})
