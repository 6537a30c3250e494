"""MongoDB, and nothing else knows it: resources and their history, read and written through a permit."""
