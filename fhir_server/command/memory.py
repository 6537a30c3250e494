"""Memory of processes that are about to fork, and of their children.

https://docs.python.org/3/library/gc.html#gc.freeze
"""

import gc

# Resources are trees: they go with their last reference. Only what has cycles waits for the collector, so it may come rarely.
_YOUNG, _MIDDLE, _OLD = 50_000, 20, 100


def settle() -> None:
    """Leave what is loaded out of all later collections, and let those come rarely.

    A collection in a child would touch, and so copy, all that it shares with its parent.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
