"""How much one search may ask for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a search.

    `count` is the size of a page where the query names none, `most` the largest it can name; `parameters` how many
    pairs a query has, `values` how many values one of them, `alternatives` how many conditions all of them become (an id
    without its type is one for each type), `chain` how many steps a chained parameter or _has, `chain_targets` how many
    types a step without a named type may lead to, `nesting` how deep the parentheses of a _filter. `includes` is how many
    resources _include and _revinclude may add to a page, `rounds` how often :iterate goes on. `near` is how many kilometres
    are near where a place is asked for without a distance.
    """

    count: int = 50
    most: int = 1000
    parameters: int = 100
    values: int = 500
    alternatives: int = 2000
    chain: int = 3
    chain_targets: int = 20
    near: int = 10
    nesting: int = 20
    includes: int = 1000
    rounds: int = 5
