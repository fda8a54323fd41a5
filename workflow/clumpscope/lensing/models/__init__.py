"""Lens models: potentials, deflections, magnifications."""
