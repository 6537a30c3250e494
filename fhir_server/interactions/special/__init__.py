"""Where a resource type differs from all others, and why."""
