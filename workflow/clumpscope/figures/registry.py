"""Every figure: where it is drawn, for which fields, from which products, and its caption."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.figure import Figure

__all__ = ["FIGURES", "FigureSpec", "draw_figure", "figures_of", "figures_of_columns"]

_BOTH = ("imaging", "photometry")
_IMAGING = ("imaging",)
_PHOTOMETRY = ("photometry",)


@dataclass(frozen=True)
class FigureSpec:
    """One figure.

    Attributes
    ----------
    module : str
        Module of `clumpscope.figures` whose ``draw(products, settings)`` returns the figure and the data drawn.
    kinds : tuple of str
        Kinds of field it can be drawn for: ``imaging``, ``photometry``.
    needs : tuple of str
        Keys of the products it cannot do without.
    caption : str
        What is to be seen, and where it comes from.
    wants : tuple of str
        Keys of the products that it shows too where they are.
    """

    module: str
    kinds: tuple[str, ...]
    needs: tuple[str, ...]
    caption: str
    wants: tuple[str, ...] = ()


_ROWS: list[tuple[Any, ...]] = [
    ("composites", _IMAGING, ("cutouts", "catalogue"),
     "Galaxies with the most clumps by redshift, in three broad filters (named above), each with the same arcsinh stretch (Lupton et al. 2004); circles are clumps, "
     "the outer circle marks the central one. The stretch is linear near the noise of the middle filter (C25 Fig. 1)."),
    ("luminosity_size", _IMAGING, ("catalogue",),
     "Absolute V magnitude against intrinsic effective radius, by redshift; open symbols with arrows are upper limits of the size. The "
     "grey lines are of equal mean rest-frame surface brightness inside the effective radius; black contours hold 90, 50 and 25 % of the comparison samples of "
     "`figures.tables` that the legend names, none where none is given (C25 Fig. 8).",
     ("samples",)),
    ("clumps_per_galaxy", _IMAGING, ("catalogue",),
     "How many galaxies have so many clumps, by redshift; the legend counts clumps and galaxies (C25 Fig. 4). Only clumps that count in "
     "statistics, one image of each galaxy. Where a galaxy has more than 20 clumps, bars stand for several numbers."),
    ("host_evolution", _IMAGING, ("population",),
     "Stellar mass and specific star-formation rate (over 100 Myr) of the galaxies with clumps, by redshift, with medians (dashed) and "
     "their 68 % confidence (grey) of three galaxies or more (C25 Fig. 10); the outermost bins include what lies beyond."),
    ("redshift_distributions", _IMAGING, ("catalogue",),
     "Mass-weighted age, stellar mass, star-formation rate, effective radius, attenuation and metallicity of the clumps in every redshift bin, "
     "with medians (dashed) and their 68 % confidence (grey) (C25 Fig. 11). Sizes that are upper limits are left out; the outermost bins include what lies beyond."),
    ("magnification", _IMAGING, ("catalogue",),
     "Magnification against effective radius, stellar mass, absolute V magnitude and stellar mass surface density of the "
     "clumps, by redshift (C25 Fig. 9). High magnifications show small, faint clumps; the density does not "
     "depend on magnification."),
    ("host_relations", _IMAGING, ("population",),
     "Left: the most massive clump off the centre, and the central clump, against the mass of their galaxy, with "
     "Pearson's r and p; the central clumps' mass-weighted age is their colour. Right: the share of the galaxy's mass in clumps, coloured by specific star-formation rate. Large "
     "symbols are medians in bins with equal numbers of galaxies, open ones of fewer than five (C25 Fig. 12). Shares above one (line at zero) happen: a fit "
     "of the whole galaxy can miss old stars behind young light."),
    ("gradients", _IMAGING, ("population",),
     "Clump mass over host mass, mass-weighted age and mass surface density against galactocentric distance in the "
     "source plane, by redshift and by host mass (C25 Fig. 13). Large symbols are medians with 68 % confidence, open and "
     "unjoined those of fewer than five clumps; fewer than three have no error bar. Dashed: straight lines through all clumps of a group, whose slopes are written in the order of the legend."),
    ("galaxy_gradients", _IMAGING, ("cutouts", "catalogue"),
     "The galaxies with the most clumps: their picture (as in the figure composites), and mass, mass-weighted age and mass surface density of their clumps against galactocentric distance, with Pearson's r and p; "
     "orange squares are central clumps, open triangles lower limits (C25 Fig. 19)."),
    ("surface_density", _IMAGING, ("catalogue", "population"),
     "Surface densities of stellar mass and of star formation against redshift, and their distributions, by resolution class "
     "(C25 Fig. 16). Those of unresolved clumps are lower limits. Open symbols are medians of fewer than five; open triangles at the edge stand for values beyond. Surface-brightness dimming hides clumps of low "
     "density at high redshift."),
    ("resolution_cases", _IMAGING, ("psfs", "catalogue"),
     "What resolution makes of clumps: idealised ones (top) behind the PSF of the most common reference filter (middle), and cuts through their middle (bottom), without noise: A too small to be "
     "told from a point, B1 compact, B2 two too close to be told apart, B3 two apart, C more extended than the PSF. Percentages are of this field's clumps (C25 Fig. 14)."),
    ("resolution_classes", _IMAGING, ("catalogue",),
     "Size, mass, mass-weighted age and mass surface density of unresolved, compact and extended clumps, with medians (triangles). Sizes of unresolved ones are upper limits, their "
     "densities lower limits; the outermost bins include what lies beyond (C25 Fig. 15)."),
    ("density_evolution", _IMAGING, ("catalogue",),
     "Clumps with a measured size. Left: surface density of star formation against that of mass, by redshift; grey: rates that form the mass in 10 Myr and in 1 Gyr; open triangles stand for values below. Middle and right: "
     "distributions of both in every redshift bin, compact clumps on the left of each violin, extended ones on the right, with medians; dashes are single clumps, where fewer than five make no "
     "violin (C25 Figs. 16 and 17)."),
    ("mass_function", _BOTH, ("population",),
     "Cumulative clump mass function, by redshift and by magnification. Dashed: the maximum-likelihood power law above the "
     "completeness limit of each group (dot): a given one, that of the injected clumps, or 0.3 dex above the peak of its mass "
     "distribution (turnover), as the legend says; the slope is that of N(> M). Grey: N(> M) proportional to 1 / M (C25 Fig. 18). Below the limit, incompleteness makes the functions flat."),
    ("sfh_comparison", _BOTH, ("catalogue", "sed_all"),
     "Stellar mass, mass-weighted age, attenuation, surface densities, star-formation rate, metallicity and chi-squared a band of the same "
     "clumps under every star-formation history that the configuration asks for (C25 Fig. 7 has four); the outermost bins include what lies beyond."),
    ("filter_sets", _BOTH, ("filter_sets", "sed_all", "catalogue"),
     "The same clumps fitted with all filters and with the sets of `sed.filter_sets`, reference history, as observed. Top: medians of the posteriors against each other, with 68 % errors. Bottom: their difference by redshift "
     "(C25 Figs. 20 and 21)."),
    ("sed_examples", _BOTH, ("catalogue", "sed_draws"),
     "Photometry (black), best fit (squares) and its spectrum, and the range of the posterior (band) of single clumps: those of `figures.sed_clumps`, or else the one with the highest S/N of every "
     "redshift bin. Fluxes are as observed, masses are divided by the magnification; open triangles are limits where nothing is seen (C25 Fig. 6)."),
    ("host_sfh", _IMAGING, ("hosts", "galaxies"),
     "Masses and star-formation rates (over 100 Myr) of the host galaxies: other star-formation histories against the reference, with "
     "median differences, and the rate against mass with the main sequence of Speagle et al. (2014) at each bin's median redshift (C25 "
     "Figs. 2 and 3). Divided by the galaxies' magnification."),
    ("gallery", _IMAGING, ("catalogue", "residuals"),
     "Data, model of the clumps, and residual of the galaxies with the most clumps, in the bluest filter, the reference filter "
     "and the reddest, each with one scale; circles are clumps, the number is the side of the pictures (C25 Fig. 5). The diffuse light of the galaxy stays in the "
     "residual."),
    ("field", _IMAGING, ("field_picture", "catalogue"),
     "The part of the mosaics that holds the galaxies, in three broad filters (named above) with one arcsinh stretch (Lupton et al. 2004), the median colour of what is bright being white; circles are clumps, lines the critical lines of the best "
     "lens model for sources at the median redshift of the galaxies, where there is a lens (F22 Fig. 1).",
     ("critical_lines",)),
    ("lens_field", _IMAGING, ("lens_map", "critical_lines", "catalogue"),
     "Magnification of sources at the median redshift of the galaxies (stated beside the scale), from the best lens model, with its critical "
     "lines, their caustics in the source plane (shifted as a whole where masses outside the field deflect all light alike), and the clumps. Clumps at other redshifts have their own critical lines: what counts for "
     "them is the magnification in the catalogue."),
    ("source_planes", _IMAGING, ("source_planes", "catalogue"),
     "Galaxies with the most clumps, in the source plane: the reference filter traced back with the best lens model, surface brightness "
     "conserved, PSF and noise not deconvolved. Circles are clumps (blue: the one nearest to the barycentre of light, green cross). All "
     "images of one galaxy in a frame overlap here. North up, East left (C25 section 4.5)."),
    ("multiple_images", _IMAGING, ("multiple_images", "counterparts"),
     "What the images of one galaxy have to share. Left: the scatter of their positions in the source plane, and of those of their clumps, against "
     "what the posterior of the lens model lets expect; dashed: equal. Middle and right: flux and stellar mass, both divided by the magnification, of clumps "
     "that are seen in several images, in the most magnified image and in the others; dashed: equal. Open: clumps of another galaxy would find as many partners "
     "in more than one of ten cases."),
    ("lens_models", _IMAGING, ("lens_models",),
     "Magnification of every clump in each of the field's lens models, against that in the first one, the reference, with the reference's "
     "own (statistical) errors; dashed: equal. The share counts pairs of a clump and a model that differ by more than these errors."),
    ("colour_colour", _PHOTOMETRY, ("catalogue", "sed_all"),
     "Colours of the clusters with S/N > 3 in all four filters, coloured by best-fit age and metallicity. The lines are "
     "dust-free simple stellar populations of one metallicity, with ages of 0.5, 1, 4 and 9 Gyr marked by circles of growing size (F22 Fig. 7)."),
    ("cluster_mass_histogram", _PHOTOMETRY, ("catalogue", "sed_all", "published"),
     "Stellar masses of the clusters: published (F22 Fig. 4), from the grid of simple stellar populations, and from the "
     "reference star-formation history; triangles are medians."),
    ("f22_comparison", _PHOTOMETRY, ("catalogue", "sed_all", "published"),
     "Masses of every cluster against those of Faisst et al. (2022), and ages beside that of their stack. Differences have "
     "known causes. Published masses are the V luminosity from F090W alone times the M/L of the best simple stellar population; ours "
     "are fitted to all bands. Both grids are dust-free and have the same ages (to 11 Gyr) and metallicities, but other spectra "
     "(BaSeL and STELIB there) and initial mass functions (Chabrier there, about 0.03 dex). M/L rises with age, which these "
     "six bands hardly constrain: fits that are older are heavier. The reference history also allows dust, gas, younger ages and continuing star "
     "formation, degenerate with each other here."),
    ("ssp_map", _PHOTOMETRY, ("ssp_stack", "ssp_stack_photometry", "catalogue"),
     "Left: how many sigma (two parameters) every simple stellar population of the grid is worse than the best, for the median "
     "photometry of all clusters (F22 Fig. 5, whose stack is of images), with contours at 3, 4 and 5 sigma; blue, for F22's own clusters: the published age and metallicity. Right: the stack's fluxes, "
     "its best model and others, scaled to it; where no model fits, sigma count from the least bad one.",
     ("published", "published_stack")),
    ("cluster_photometry", _PHOTOMETRY, ("catalogue", "sed_all"),
     "Left: observed magnitudes of the clusters in the bluest, a middle and the reddest band; triangles are three times the median error. Clusters without a positive flux are left out. Right: stellar mass "
     "against the observed magnitude at 2.2 micron in the rest frame, between the filters on its sides; dotted: one mass-to-light ratio (F22 Fig. 4; its colours are in the figure colour_colour, its histogram of masses "
     "in cluster_mass_histogram). Star counts of the Milky Way and samples of galaxies are not at hand here.",
     ("published",)),
    ("cluster_colour_magnitude", _PHOTOMETRY, ("catalogue", "ssp_fits"),
     "Rest-frame colour and absolute magnitude (Bessell B and I, Vega) of the best dust-free simple stellar population of every cluster (F22 Fig. 8, without the local clusters of Harris et al. 2014, which are not "
     "at hand here). The filters lie redward of the rest-frame R band at z = 0.39: B is the models' extrapolation, and the points follow the grid's ages and metallicities."),
    ("stack_profiles", _IMAGING, ("stack", "stack_profiles"),
     "Left and middle: light profiles of the stacked unresolved clumps (points) and of the PSF (line), in the bluest and the reddest broad filter with a stack. Right: the filter that excludes the smallest size; lines are noiseless clumps of "
     "the half-light radii given, at the median redshift and without magnification, seen through the PSF, and the dotted one is the smallest that would be seen to be resolved in 95 % of simulated stacks (F22 Fig. 2). "
     "Host light left under the clumps widens profiles."),
    ("stack_fits", _IMAGING, ("stack", "stack_images"),
     "Median stacks of the unresolved clumps and the fitted point source, both without the fitted background, and the residual, in one stretch a filter, linear near the noise (F22 Fig. 3); the fluxes are those of the fit. What the residual "
     "shows is light of hosts and neighbours."),
    ("size_limits", _IMAGING, ("catalogue",),
     "Upper limits (97.5 %) of the effective radii of unresolved clumps, and measured radii of the others, against stellar mass; grey: sizes of globular clusters, few of which exceed 10 pc. The "
     "dotted lines are of equal surface density (F22 Fig. 6); small symbols are comparison samples, where given.",
     ("samples",)),
    ("completeness", _IMAGING, ("injection",),
     "Clumps injected into the galaxies' images. Top: the share that is detected, by size and by brightness of the diffuse light under them (over the "
     "scatter of sky pixels), and the share that also has the bands and flags that statistics ask for; bars are 68 % Wilson intervals, steps the mean of the logistic fit over the clumps of a bin. Bottom: "
     "flux and size of those detected, measured over true (bars: half of the 16-84 % range), and the width of the pulls of the flux, 1 for honest errors, in bins of five or more. Fluxes are in units "
     "of the point-source limit of the reference filter. At the faint end only clumps that noise made brighter are detected."),
    ("coverage", _IMAGING, ("coverage",),
     "Do the intervals hold? For every quantity, and fluxes by filter: the share of true values inside the 68 % interval (bars: its binomial error; grey: 64 to 72 %), "
     "median and width of the pulls (measured minus true, over the error), for all clumps, isolated ones, on hosts, in crowds, and central ones. Clumps that flags exclude from statistics are left out."),
    ("truth_recovery", _IMAGING, ("truth", "truth_summary"),
     "A field with known truth: measured against true flux (observed), size, magnification, mass and mass-weighted age of every clump found, with the "
     "catalogue's 68 % errors, and what became of the true clumps by signal-to-noise (the last bins include what lies beyond).",
     ("catalogue",)),
]  # fmt: skip

FIGURES: dict[str, FigureSpec] = {name: FigureSpec(name, *row) for name, *row in _ROWS}


def figures_of(kind: str, products: set[str]) -> list[str]:
    """Names of the figures that can be drawn for a kind of field that has these products."""
    return [name for name, spec in FIGURES.items() if kind in spec.kinds and set(spec.needs) <= products]


_OF_COLUMNS = {
    "clumps_per_galaxy": (),
    "mass_function": (),
    "redshift_distributions": ("log_age_mw_yr",),
    "size_limits": ("r_eff_pc",),
    "luminosity_size": ("r_eff_pc", "m_v_ab"),
    "magnification": ("mu",),
    "surface_density": ("r_eff_pc", "class"),
    "host_evolution": ("host_log_mass",),
    "host_relations": ("host_log_mass", "log_age_mw_yr"),
    "gradients": ("host_log_mass", "distance_kpc"),
}
"""Figures of a catalogue and its statistics alone, and the columns they show, beside masses and redshifts."""


def figures_of_columns(columns: Iterable[str]) -> list[str]:
    """Names of the figures that a published table with these columns (`clumps.columns` of the configuration) fills."""
    columns = set(columns)
    return [name for name in FIGURES if name in _OF_COLUMNS and columns.issuperset(_OF_COLUMNS[name])]


def draw_figure(
    name: str, products: Mapping[str, Any], settings: Mapping | None = None
) -> "tuple[Figure, Table]":
    """Draw one figure.

    Parameters
    ----------
    name : str
        Key of `FIGURES`.
    products : mapping
        Loaded products (`clumpscope.figures.products.load_products`), at least those the figure needs.
    settings : mapping, optional
        See `clumpscope.figures.settings.Settings`.

    Returns
    -------
    figure : matplotlib.figure.Figure
    data : Table
        The data drawn.

    Raises
    ------
    InputError
        Unknown figure or setting, or a missing product.
    """
    from .settings import Settings

    if name not in FIGURES:
        raise InputError("figure", repr(name), f"one of {', '.join(FIGURES)}")
    missing = [key for key in FIGURES[name].needs if key not in products]
    if missing:
        raise InputError(
            f"products of the figure {name}", f"no {', '.join(missing)}", ", ".join(FIGURES[name].needs)
        )
    module = import_module(f".{FIGURES[name].module}", __package__)
    return module.draw(products, Settings.of(settings or {}))
