"""SearchParameter definitions at work. Pure: knows no database and no HTTP.

https://hl7.org/fhir/R4/search.html
"""
