"""A platform's name and quirks as a form with one typed field each.

`parties.quirks` says what each quirk does.
"""

from typing import TYPE_CHECKING, Any

from django import forms

from parties.models import Platform
from parties.quirks import QUIRKS, Description, Quirks
from parties.registration.invitation import Initiator, NotPossible, usable_name

if TYPE_CHECKING:
    from django.forms import CheckboxInput, NumberInput, RadioSelect, Select
else:
    from unfold.widgets import UnfoldAdminIntegerFieldWidget as NumberInput
    from unfold.widgets import UnfoldAdminRadioSelectWidget as RadioSelect
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldBooleanSwitchWidget as CheckboxInput

_PREFIX = "quirk_"


def _field(quirk: Description) -> forms.Field:
    """Make a switch, a choice, or a field for a number; empty is the default, of a switch off."""
    shown: dict[str, Any] = {"label": quirk.label, "help_text": quirk.sentence, "required": False}
    if isinstance(quirk.default, bool):
        return forms.BooleanField(**shown, widget=CheckboxInput())
    if quirk.words:
        return forms.ChoiceField(**shown, choices=[(w, w) for w in quirk.words], widget=Select())
    number = forms.FloatField if isinstance(quirk.default, float) else forms.IntegerField
    return number(**shown, min_value=0, max_value=quirk.most, widget=NumberInput())


_FIELDS = {f"{_PREFIX}{name}": _field(quirk) for name, quirk in QUIRKS.items()}
QUIRK_FIELDS = tuple(_FIELDS)


class PlatformForm(forms.ModelForm[Platform]):
    """Name and quirks of a platform; operators change nothing else by hand."""

    class Meta:
        model = Platform
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's signature
        instance = kwargs.get("instance")
        quirks: Quirks = instance.quirks if instance is not None else Quirks()
        present = {f"{_PREFIX}{name}": value for name, value in quirks.as_mapping().items()}
        super().__init__(
            *args, **{**kwargs, "initial": {**present, **(kwargs.get("initial") or {})}}
        )

    def clean_name(self) -> str:
        """Remove blanks around it, as commands find platforms by name."""
        try:
            return usable_name(self.cleaned_data["name"])
        except NotPossible as error:
            raise forms.ValidationError(str(error)) from None

    def save(self, commit: bool = True) -> Platform:  # noqa: FBT001, FBT002 - Django's signature
        """Put the quirks back into their one column."""
        given = self.cleaned_data
        changed = {
            name: QUIRKS[name].default if given[field] in {None, ""} else given[field]
            for name, field in zip(QUIRKS, QUIRK_FIELDS, strict=True)
            if field in given
        }
        self.instance.quirks = Quirks.from_mapping({**self.instance.quirks.as_mapping(), **changed})
        return super().save(commit)


# Django's admin derives form classes from this one, which inherit its declared fields.
PlatformForm.declared_fields.update(_FIELDS)
PlatformForm.base_fields.update(_FIELDS)


class NewPlatformForm(PlatformForm):
    """The form for a new platform, which also asks which side starts the handshake."""

    starts = forms.ChoiceField(
        label="Who starts",
        choices=[
            (Initiator.PLATFORM.value, "The platform: it gets a token A from us"),
            (Initiator.HUB.value, "The hub: the platform gave us its versions URL and a token A"),
        ],
        initial=Initiator.PLATFORM.value,
        widget=RadioSelect(),
    )
