import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from operators.encryption import seal, unseal


def seal_seeds(apps, _editor):
    """Move the second factors to where their seeds are sealed; who had not confirmed one begins anew."""
    plain, sealed = apps.get_model('otp_totp', 'TOTPDevice'), apps.get_model('operators', 'Authenticator')
    for device in plain.objects.filter(confirmed=True).order_by('pk'):
        row = sealed(user_id=device.user_id, name='app', sealed=seal(device.key), last_t=device.last_t)
        row.drift, row.throttling_failure_count = device.drift, device.throttling_failure_count
        row.throttling_failure_timestamp = device.throttling_failure_timestamp
        row.save()
    plain.objects.all().delete()


def unseal_seeds(apps, _editor):
    """Move them back."""
    plain, sealed = apps.get_model('otp_totp', 'TOTPDevice'), apps.get_model('operators', 'Authenticator')
    for row in sealed.objects.order_by('pk'):
        plain.objects.create(
            user_id=row.user_id, name='app', key=unseal(row.sealed), last_t=row.last_t, drift=row.drift
        )


class Migration(migrations.Migration):

    dependencies = [
        ('operators', '0001_initial'),
        ('otp_totp', '0003_add_timestamps'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='change',
            name='times',
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.CreateModel(
            name='Authenticator',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='The human-readable name of this device.', max_length=64)),
                ('confirmed', models.BooleanField(default=True, help_text='Is this device ready for use?')),
                ('throttling_failure_timestamp', models.DateTimeField(blank=True, default=None, help_text='A timestamp of the last failed verification attempt. Null if last attempt succeeded.', null=True)),
                ('throttling_failure_count', models.PositiveIntegerField(default=0, help_text='Number of successive failed attempts.')),
                ('created_at', models.DateTimeField(auto_now_add=True, help_text='The date and time when this device was initially created in the system.', null=True)),
                ('last_used_at', models.DateTimeField(blank=True, help_text='The most recent date and time this device was used.', null=True)),
                ('sealed', models.TextField()),
                ('last_t', models.BigIntegerField(default=-1)),
                ('drift', models.SmallIntegerField(default=0)),
                ('user', models.ForeignKey(help_text='The user that this device belongs to.', on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'second factor',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ConsoleSession',
            fields=[
                ('session_key', models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='session key')),
                ('session_data', models.TextField(verbose_name='session data')),
                ('expire_date', models.DateTimeField(db_index=True, verbose_name='expire date')),
                ('since', models.DateTimeField()),
                ('seen', models.DateTimeField(db_index=True)),
                ('address', models.GenericIPAddressField(null=True)),
                ('browser', models.CharField(blank=True, default='', max_length=200)),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'session',
                'ordering': ['-seen'],
            },
        ),
        migrations.CreateModel(
            name='Identity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('issuer', models.CharField(max_length=200)),
                ('subject', models.CharField(max_length=255)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('issuer', 'subject'), name='operators_subject')],
            },
        ),
        migrations.CreateModel(
            name='KnownNetwork',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('network', models.GenericIPAddressField()),
                ('at', models.DateTimeField()),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'network'), name='operators_known_network')],
            },
        ),
        migrations.RunPython(seal_seeds, unseal_seeds),
    ]
