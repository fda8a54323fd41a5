"""Catalogue, and statistics of clumps and their hosts."""
