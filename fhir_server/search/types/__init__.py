"""One module per search parameter type: what a value is stored as, and what a searched value means.

https://hl7.org/fhir/R4/search.html#ptypes

Every module has the same two functions. `entries(code, nodes, found, zone)` adds what the nodes can be found by;
`expression(parameter, value, modifier, asked)` gives the Expression of one searched value (already split at commas,
escapes still inside).
"""
