"""FHIR operations (`$name`): one module each, found and checked by their OperationDefinitions.

https://hl7.org/fhir/R4/operations.html
"""
