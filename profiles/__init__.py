"""FHIR definitions and what follows from them: JSON, FHIRPath, validation. Pure: no input but its own package data."""
