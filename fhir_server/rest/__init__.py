"""HTTP in, HTTP out: the RESTful door of the server. https://hl7.org/fhir/R4/http.html"""
