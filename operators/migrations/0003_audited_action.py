from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('operators', '0002_door'),
    ]

    operations = [
        migrations.RenameField('Change', 'deed', 'action'),
    ]
