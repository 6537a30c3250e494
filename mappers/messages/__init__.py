"""SS-MIX2 kinds: which segments of a message become which resources."""
