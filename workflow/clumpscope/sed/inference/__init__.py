"""From fluxes to posteriors: priors, exploration, sampling, and what tells whether to believe them."""
