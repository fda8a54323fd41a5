"""Lens models and their posteriors as they are published: Lenstool files and maps."""
