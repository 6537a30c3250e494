"""Search parameters that say nothing of their own: they are not stored, and a search by them is one by the others.

`combo-code` of Observation is `code` or `component-code`; `phonetic` of Patient is `name` again. Which they are follows
from the definitions: their paths are the paths of others. Keys of the index are most of what a write costs.
"""

from collections.abc import Mapping


def standing(paths: Mapping[str, frozenset[object]]) -> dict[str, tuple[str, ...]]:
    """Give, for each code that others can stand for, their codes: together they have exactly its paths.

    `paths` are the paths of each code that may take part, comparable across codes; of several codes with the same paths
    the alphabetically first stands for the rest. Those that stand are stored themselves.
    """
    first: dict[frozenset[object], str] = {}
    found: dict[str, tuple[str, ...]] = {}
    for code in sorted(paths):
        same = first.setdefault(paths[code], code)
        if same != code:
            found[code] = (same,)
    for own, code in sorted(first.items(), key=lambda each: (len(each[0]), each[1])):
        stored = [other for other_paths, other in first.items() if other_paths < own and other not in found]
        if stored and frozenset[object]().union(*(paths[other] for other in stored)) == own:
            found[code] = tuple(other for other in stored if not any(paths[other] < paths[each] for each in stored))
    return found
