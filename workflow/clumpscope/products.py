"""The one table of a field's products: where they lie, of which fields they are made, and what takes them up."""

from typing import NamedTuple

__all__ = ["FIELDS_WITH", "PRODUCTS", "Product"]

FIELDS_WITH = {
    "": "every field",
    "measured": "images or photometry",
    "fits": "clumps fitted with a history other than the grid",
    "ssp": "`ssp` among the histories",
    "filter sets": "`sed.filter_sets`",
    "images": "images",
    "lens": "images and a lens model",
    "deflections": "images and a lens model with deflections",
    "systems": "deflections, and images that share a `system`",
    "lens models": "several lens models",
    "injection": "`injection.clumps`",
    "hosts": "photometry of hosts",
    "mock": "known truth",
    "published": "published masses, and `ssp` among the histories",
}
"""What a field has that a product is made of -> in words."""


class Product(NamedTuple):
    """One product, or several of a kind.

    Attributes
    ----------
    path : str
        Below ``results/{field}/``. Wildcards: ``{population}`` and ``{injection}`` tables, ``{figure}``, ``{filter}``, ``{galaxy}`` (selected),
        ``{measured}`` (galaxies with enough clumps), ``{sfh}`` (history), ``{reference}`` (history), ``{fitted}`` (history with posteriors), ``{set}`` of filters,
        ``{batch}`` of clumps, ``{host_batch}`` with its history.
    of : str
        Which fields have it, of `FIELDS_WITH`.
    uses : str
        ``run``: every run makes it; ``figures``: they may be drawn from it; ``link``: the report links it; ``report:name``: the report shows it as
        that one of `clumpscope.report.FieldInputs`.
    text : str
        What it is.
    """

    path: str
    of: str
    uses: str
    text: str

    def used(self, by: str) -> bool:
        """Whether something is among the uses."""
        return by in self.uses.split()

    @property
    def shown_as(self) -> str | None:
        """Name among the inputs of the report."""
        words = [word.removeprefix("report:") for word in self.uses.split() if word.startswith("report:")]
        return words[0] if words else None


PRODUCTS: dict[str, Product] = {
    name: Product(*row)
    for name, *row in [
        ("catalogue", "catalogue.ecsv", "", "run figures report:catalogue", "the catalogue, one row a clump"),
        ("catalogue_fits", "catalogue.fits", "", "run", "the same as FITS"),
        ("selection", "selection.ecsv", "measured", "run report:selection", "every galaxy of the catalogue, and why it is measured or not"),
        ("population", "population/{population}.ecsv", "", "run figures report:population", "medians, mass functions, gradients, relations with hosts"),
        ("statistics", "population/statistics.ecsv", "", "run", "every statistic with its 68 % interval, one row each"),
        ("numbers", "numbers.yaml", "", "run link", "the statistics by name"),
        ("numbers_latex", "numbers.tex", "", "run link", "the same for LaTeX"),
        ("figures", "figures/{figure}.png", "", "run report:figures", "every figure, for screens"),
        ("figures_pdf", "figures/{figure}.pdf", "", "run", "the same, for papers"),
        ("figures_data", "figures/{figure}.ecsv", "", "run", "what it shows"),
        ("sed_sheets", "sed/{reference}.pdf", "fits", "run link", "every fit of the reference history, on pages to leaf through"),
        ("sed_all", "sed/{sfh}.ecsv", "measured", "run figures link", "percentiles of every fit, observed"),
        ("posteriors", "sed/{fitted}/{batch}.nc", "measured", "run", "posterior samples"),
        ("sed_batches", "sed/{fitted}/{batch}.ecsv", "measured", "run", "their percentiles, batch by batch"),
        ("sed_draws", "sed/{reference}/{batch}.nc", "fits", "figures", "those of the reference history"),
        ("filter_sets", "sed/{reference}_in_{set}.ecsv", "filter sets", "figures", "percentiles of the fits in sets of filters"),
        ("ssp_fits", "sed/ssp.ecsv", "ssp", "figures", "fits of single populations"),
        ("ssp_stack", "sed/ssp_stack.ecsv", "ssp", "figures", "chi-squared of their stack over the grid"),
        ("ssp_stack_photometry", "sed/ssp_stack_photometry.ecsv", "ssp", "figures", "fluxes of their stack"),
        ("inspection", "inspect/index.html", "measured", "run report:inspection", "every galaxy in all filters, with its clumps; corrections"),
        ("inspection_catalogue", "inspect/catalogue.html", "measured", "run", "the catalogue to sort and to filter"),
        ("inspection_page", "inspect/{galaxy}.html", "images", "run", "a galaxy's page"),
        ("inspection_data", "inspect/data/index.js", "measured", "run", "what the index shows"),
        ("inspection_catalogue_data", "inspect/data/catalogue.js", "measured", "run", "what the catalogue's page shows"),
        ("inspection_page_data", "inspect/data/{galaxy}.js", "images", "run", "what a galaxy's page shows"),
        ("inspection_thumbnail", "inspect/thumbnails/{galaxy}.jpg", "images", "run", "a galaxy in the index"),
        ("inspection_cards", "inspect/cards", "measured", "run", "cards of clumps"),
        ("inspection_files", "inspect/static", "measured", "run", "what all pages share"),
        ("psf_table", "psf/psf.ecsv", "images", "run report:psfs", "the PSFs' sizes and stars"),
        ("psfs", "psf/{filter}.fits", "images", "figures", "the PSFs"),
        ("psf_picture", "psf/psf.png", "images", "run link", "the PSFs in one picture"),
        ("depth", "depth.ecsv", "images", "run link", "depth of every filter"),
        ("depth_picture", "depth.png", "images", "run link", "the same as a picture"),
        ("stack", "stack/stack.ecsv", "images", "run figures link", "stacks of unresolved clumps, and the sizes that they exclude"),
        ("stack_profiles", "stack/profiles.ecsv", "images", "run figures link", "their light profiles"),
        ("stack_picture", "stack/stack.png", "images", "run link", "their picture"),
        ("stack_images", "stack/stack.fits", "images", "figures", "their images"),
        ("detection", "galaxies/{galaxy}/detection.png", "images", "run", "a galaxy's clumps as they were found"),
        ("cutouts", "galaxies/{measured}/cutouts.fits", "images", "figures", "a galaxy in all filters"),
        ("residuals", "galaxies/{measured}/residuals.fits", "images", "run figures", "what the fit leaves of a galaxy, and what its clumps are drawn from"),
        ("residual_picture", "galaxies/{measured}/residuals.png", "images", "run", "the same as a picture"),
        ("source_plane", "galaxies/{measured}/source_plane.fits", "images", "run", "a galaxy in its source plane"),
        ("source_planes", "galaxies/{measured}/source_plane.fits", "deflections", "figures", "the same, where the lens model can trace"),
        ("source_plane_picture", "galaxies/{measured}/source_plane.png", "images", "run", "the same as a picture"),
        ("field_picture", "field.fits", "images", "figures", "the field in three broad filters, in large pixels"),
        ("lens_map", "lens/magnification.fits", "lens", "figures", "magnification over the field"),
        ("critical_lines", "lens/critical_lines.ecsv", "lens", "figures", "critical lines and caustics"),
        ("multiple_images", "lens/multiple_images.ecsv", "systems", "figures", "images of one galaxy compared"),
        ("counterparts", "lens/counterparts.ecsv", "systems", "figures", "their clumps matched"),
        ("lens_models", "catalogue.ecsv", "lens models", "figures", "the catalogue, where lens models can be compared"),
        ("injection", "injection/{injection}.ecsv", "injection", "run figures report:injection", "completeness, limits and recovery of injected clumps"),
        ("hosts", "hosts.ecsv", "hosts", "run figures link", "masses and star formation of the hosts"),
        ("host_posteriors", "hosts/{host_batch}.nc", "hosts", "run", "their posterior samples"),
        ("host_batches", "hosts/{host_batch}.ecsv", "hosts", "run", "percentiles of these, batch by batch"),
        ("galaxies", "galaxies.ecsv", "hosts", "figures", "the selected galaxies"),
        ("truth", "population/truth.ecsv", "mock", "run figures link", "what was put in beside what was measured"),
        ("truth_summary", "population/truth_summary.ecsv", "mock", "run figures report:recovery", "bias and scatter by class"),
        ("coverage", "population/coverage.ecsv", "mock", "run figures report:coverage", "how many truths lie inside their intervals"),
        ("recovered", "population/recovered.ecsv", "mock", "run report:recovered", "the population's numbers beside their truth"),
        ("statements", "population/statements.ecsv", "mock", "run report:statements", "what C25 say of clumps, recovered beside injected"),
        ("published", "population/published.ecsv", "published", "run report:published", "published masses and ages beside ours"),
        ("published_stack", "population/published_stack.ecsv", "published", "run figures report:published_stack", "the same of the stack"),
    ]
}  # fmt: skip
