"""Tables of a price history in the project's database."""

from __future__ import annotations

from django.db import models


class PriceHead(models.Model):
    """One row: the last list that was recorded. Whoever records takes it first."""

    id: models.PositiveSmallIntegerField[int, int] = models.PositiveSmallIntegerField(primary_key=True)
    #: Microseconds since 1970: since when it stands, and when it was last seen.
    as_of: models.BigIntegerField[int, int] = models.BigIntegerField()
    seen_at: models.BigIntegerField[int, int] = models.BigIntegerField()

    class Meta:
        """Rows can be viewed, and nothing else."""

        default_permissions: tuple[str, ...] = ("view",)
        verbose_name = "prices"
        verbose_name_plural = "prices"


class RecordedPrice(models.Model):
    """A change of a model."""

    model_id: models.CharField[str, str] = models.CharField(max_length=300)
    #: Microseconds since 1970.
    since: models.BigIntegerField[int, int] = models.BigIntegerField(db_index=True)
    #: What it costs from then on, as JSON; NULL where it is listed no more.
    pricing: models.TextField[str | None, str | None] = models.TextField(null=True)

    class Meta:
        """Nobody is given leave to do anything with rows; a model changes once at a time."""

        default_permissions: tuple[str, ...] = ()
        constraints: tuple[models.BaseConstraint, ...] = (
            models.UniqueConstraint(fields=("model_id", "since"), name="openrouter_pricing_one_change"),
        )
