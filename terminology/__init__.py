"""Codes and what they mean: code systems, value sets. Pure: no input but its own package data."""
