"""The tables of a price history."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    """Makes them."""

    initial: ClassVar[bool | None] = True
    dependencies: ClassVar[list[tuple[str, str]]] = []
    operations: ClassVar[list[Operation]] = [
        migrations.CreateModel(
            name="PriceHead",
            fields=[
                ("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("as_of", models.BigIntegerField()),
                ("seen_at", models.BigIntegerField()),
            ],
            options={"verbose_name": "prices", "verbose_name_plural": "prices", "default_permissions": ("view",)},
        ),
        migrations.CreateModel(
            name="RecordedPrice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model_id", models.CharField(max_length=300)),
                ("since", models.BigIntegerField(db_index=True)),
                ("pricing", models.TextField(null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("model_id", "since"), name="openrouter_pricing_one_change")
                ],
            },
        ),
    ]
