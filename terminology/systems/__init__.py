"""Code systems whose codes have a grammar of their own."""
