"""Structural validation of resources by their StructureDefinitions."""

from profiles.validator.issue import Issue
from profiles.validator.validate import Validator

__all__ = ["Issue", "Validator"]
