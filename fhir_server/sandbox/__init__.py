"""The sandbox: a whole regional network made from a seed, without one real person in it."""
