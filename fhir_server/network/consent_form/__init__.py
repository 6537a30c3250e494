"""The consent form (様式6), from the patient's answers to what facilities may read: received, checked, matched, published, stopped.

NETWORK.md §0.2, §1.9, §1.10, §1.14
"""
