"""Deletion of a patient's data from the network, on request, by two persons, with a proof.

NETWORK.md D8, F080.
"""
