"""The FHIR interactions, one module each, named by its code. https://hl7.org/fhir/R4/http.html"""
