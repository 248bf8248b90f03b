"""Who is billed, and for what."""

from __future__ import annotations

from django.db import models


class Customer(models.Model):
    """Somebody with a key of our API."""

    name = models.CharField(max_length=100)
    key = models.CharField(max_length=64, unique=True)


class Charge(models.Model):
    """One call: a response is charged once, however often it is told."""

    response_id = models.CharField(max_length=100, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT)
    total = models.DecimalField(max_digits=20, decimal_places=12)  # USD, rounded
    receipt = models.JSONField()  # exact: amounts are strings in it
    made = models.DateTimeField(auto_now_add=True)
