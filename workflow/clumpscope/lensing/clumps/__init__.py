"""What a lens model makes of clumps: magnifications, sizes, source planes, counterparts."""
