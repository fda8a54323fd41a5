"""Model photometry: star-formation histories, gas, dust and the intergalactic medium, seen in filters."""
