"""Templates on their way to the workers, the models that serve, and how alike a site's people are."""
