import django.db.models.deletion
from django.db import migrations, models


def named(former, new):
    """Permissions go with their model: who has them keeps them."""

    def rename(apps, _editor):
        permissions = apps.get_model('auth', 'Permission').objects
        for verb in ('add', 'change', 'delete', 'view'):
            held = permissions.filter(content_type__app_label='parties', codename=f'{verb}_{former}')
            held.update(codename=f'{verb}_{new}')

    return rename


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('parties', '0006_open_modules'),
    ]

    operations = [
        migrations.AlterModelTable('ObservedHabit', 'parties_observedhabit'),
        migrations.RemoveConstraint('ObservedHabit', 'parties_habit_once'),
        migrations.RenameModel('ObservedHabit', 'ObservedDeviation'),
        migrations.AlterModelOptions('ObservedDeviation', {'ordering': ['platform', 'deviation']}),
        migrations.RenameField('ObservedDeviation', 'habit', 'deviation'),
        migrations.AlterField(
            model_name='observeddeviation',
            name='platform',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deviations', to='parties.platform'),
        ),
        migrations.AddConstraint(
            model_name='observeddeviation',
            constraint=models.UniqueConstraint(fields=('platform', 'deviation'), name='parties_deviation_once'),
        ),
        migrations.AlterField(
            model_name='party',
            name='reported_status',
            field=models.CharField(blank=True, choices=[('PLANNED', 'PLANNED'), ('CONNECTED', 'CONNECTED'), ('OFFLINE', 'OFFLINE'), ('SUSPENDED', 'SUSPENDED')], default='', help_text='As reported by the hub it is behind', max_length=10),
        ),
        migrations.AlterField(
            model_name='platform',
            name='doubted_at',
            field=models.DateTimeField(editable=False, help_text='A message got a 401, a 403 or no answer: it is pinged soon', null=True),
        ),
        migrations.AlterField(
            model_name='platform',
            name='registered_at',
            field=models.DateTimeField(editable=False, help_text='What was sent or read before is sent and read anew', null=True),
        ),
        migrations.RunPython(
            named('observedhabit', 'observeddeviation'), named('observeddeviation', 'observedhabit')
        ),
    ]
