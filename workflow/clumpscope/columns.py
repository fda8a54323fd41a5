"""The one table of output columns: name, unit, UCD and meaning."""

import re
from dataclasses import dataclass

from astropy.table import Table

__all__ = ["COLUMNS", "Column", "column_info", "describe_columns"]


@dataclass(frozen=True)
class Column:
    """One output column; `name` may contain ``<F>``, standing for a filter name.

    Attributes
    ----------
    name, unit, ucd, text : str
        Name, unit (astropy syntax), Unified Content Descriptor, and meaning.
    """

    name: str
    unit: str
    ucd: str
    text: str


def _with_errors(name: str, unit: str, ucd: str, text: str) -> list[Column]:
    return [
        Column(name, unit, ucd, text),
        Column(
            f"{name}_err_lo",
            unit,
            f"stat.error;{ucd}",
            f"Lower error of {name}: 68 % of the draws below it are nearer",
        ),
        Column(
            f"{name}_err_hi",
            unit,
            f"stat.error;{ucd}",
            f"Upper error of {name}: 68 % of the draws above it are nearer",
        ),
    ]


def _percentiles(name: str, unit: str, ucd: str, text: str) -> list[Column]:
    return [Column(f"{name}_p{p}", unit, ucd, f"{text}: {p} % of the posterior") for p in (16, 50, 84)]


# Quantities that tables hold as percentiles (catalogue), as true values, and of the best model: unit, UCD, meaning.
_QUANTITIES = {
    "log_mass": (
        "dex(Msun)",
        "phys.mass",
        "log10 stellar mass (living stars and remnants; IMF of the library, Kroupa & Boily 2002 in the default one)",
    ),
    "log_mass_formed": ("dex(Msun)", "phys.mass", "log10 stellar mass ever formed"),
    "log_age_yr": ("dex(yr)", "time.age", "log10 age since the onset of star formation"),
    "log_age_mw_yr": ("dex(yr)", "time.age", "log10 mass-weighted age"),
    "log_sfr10": (
        "dex(Msun / yr)",
        "phys.SFR",
        "log10 star-formation rate over 10 Myr; below some -10 stars have ceased to form, -99 stands for a rate of zero",
    ),
    "log_sfr100": (
        "dex(Msun / yr)",
        "phys.SFR",
        "log10 star-formation rate over 100 Myr; below some -10 stars have ceased to form, -99 stands for a rate of zero",
    ),
    "a_v": ("mag", "phys.absorption", "V-band attenuation"),
    "log_z_zsun": ("", "phys.abund.Z", "log10 stellar and gas metallicity over solar"),
    "log_u": ("", "phys.ionizParam", "log10 ionisation parameter"),
    "log_tau_yr": ("dex(yr)", "time.scale", "log10 e-folding time of the star formation"),
    "log_sigma_mass": ("dex(Msun / pc2)", "phys.density.surface", "log10 stellar mass surface density"),
    "log_sigma_sfr": ("dex(Msun / (yr kpc2))", "phys.SFR", "log10 SFR (10 Myr) surface density"),
    "ml_v": ("Msun / Lsun", "phys.mass", "V-band mass-to-light ratio (living stars and remnants)"),
}

_COLUMNS: list[Column] = [
    Column("id", "", "meta.id;meta.main", "Identifier, unique in the field"),
    Column("galaxy", "", "meta.id.parent", "Identifier of the host galaxy image"),
    Column("system", "", "meta.id.parent", "Identifier shared by the multiple images of one galaxy"),
    Column("ra", "deg", "pos.eq.ra;meta.main", "Right ascension (ICRS)"),
    Column("dec", "deg", "pos.eq.dec;meta.main", "Declination (ICRS)"),
    Column("x", "pix", "pos.cartesian.x;instr.det", "Zero-based x in the mosaic of the reference filter"),
    Column("y", "pix", "pos.cartesian.y;instr.det", "Zero-based y in the mosaic of the reference filter"),
    Column("z", "", "src.redshift", "Redshift"),
    Column("z_lo", "", "stat.error;src.redshift", "16 % of a photometric redshift; z itself of a spectroscopic one"),
    Column("z_hi", "", "stat.error;src.redshift", "84 % of a photometric redshift; z itself of a spectroscopic one"),
    Column("z_spec", "", "meta.code;src.redshift", "True where the redshift is taken as certain (spectroscopic)"),
    Column("filter_ref", "", "meta.id;instr.filter", "Filter in which the shape is measured"),
    Column("pixel_scale_arcsec", "arcsec", "instr.scale", "Pixel scale of the reference filter"),
    Column("snr", "", "stat.snr", "Signal-to-noise of the flux in the reference filter"),
    Column("sigma_x_px", "pix", "phys.angSize", "Standard deviation along the major axis (deconvolved)"),
    Column("sigma_x_px_err", "pix", "stat.error;phys.angSize", "Error of sigma_x_px"),
    Column("sigma_y_px", "pix", "phys.angSize", "Standard deviation along the minor axis (deconvolved)"),
    Column("sigma_y_px_err", "pix", "stat.error;phys.angSize", "Error of sigma_y_px"),
    Column("theta_deg", "deg", "pos.posAng", "Angle of the major axis, counter-clockwise from +x"),
    Column("theta_deg_err", "deg", "stat.error;pos.posAng", "Error of theta_deg"),
    Column("flux_<F>_njy", "nJy", "phot.flux.density;em.IR.NIR", "Observed flux density"),
    Column("flux_<F>_err_njy", "nJy", "stat.error;phot.flux.density", "Standard deviation of the observed flux density, for fits: the root mean square over profiles that a clump may have"),
    Column("flux_<F>_err_lo_njy", "nJy", "stat.error;phot.flux.density", "Flux minus the lower end of its 68 % interval, over profiles that a clump may have"),
    Column("flux_<F>_err_hi_njy", "nJy", "stat.error;phot.flux.density", "Upper end of the 68 % interval minus the flux: clumps with wings are brighter than they are measured"),
    Column("flux_<F>_common_njy", "nJy", "stat.covariance;phot.flux.density",
           "Parts of the error that a clump's filters have in common (shape, shape, shape, profile): the covariance of two filters is the product of theirs"),
    Column("moments_px2", "pix2", "phys.angSize", "Second moments (xx, yy, xy) as the data of the reference filter have them, below zero where noise has it so"),
    Column("moments_covariance_px4", "pix4", "stat.covariance;phys.angSize", "Covariance of moments_px2"),
    Column("profile_size_ratio", "", "stat.error;phys.angSize", "Half-light radius with each profile with wings of fit.profiles (plummer, eff), over that of the Gaussian; goes with the last part of the common errors"),
    Column("stretch_deg", "deg", "pos.posAng", "Direction on the reference filter's pixels, from +x towards +y, in which mu_t stretches"),
    Column("true_flux_<F>_njy", "nJy", "phot.flux.density;em.IR.NIR", "Injected flux density"),
    Column("true_flux_njy", "nJy", "phot.flux.density;em.IR.NIR", "True flux density in the reference filter"),
    Column("true_sigma_px", "pix", "phys.angSize", "Standard deviation of the injected round Gaussian"),
    Column("flux_njy", "nJy", "phot.flux.density;em.IR.NIR", "Observed flux density in the reference filter"),
    Column("flux_err_njy", "nJy", "stat.error;phot.flux.density", "Error of flux_njy"),
    Column("sigma_px", "pix", "phys.angSize", "Standard deviation of the round Gaussian of equal area; 0 unresolved"),
    Column("sigma_limit_px", "pix", "phys.angSize", "Upper limit (97.5 %) of the standard deviation where unresolved"),
    Column("realisation", "", "meta.id", "Image of its galaxy into which the clump was injected"),
    Column("detected", "", "meta.code", "True where a detection lies within 2 px of the injected clump"),
    Column("depth_ratio", "", "phot.flux.density;arith.ratio", "Flux over the point-source limit of the reference filter"),
    Column("width", "", "phys.angSize;arith.ratio", "Standard deviation of the clump seen through the PSF, over the PSF's"),
    Column("host_njy_arcsec2", "nJy / arcsec2", "phot.mag.sb", "Diffuse light in the reference filter under the clump"),
    Column("host_over_noise", "", "stat.snr", "Diffuse light per pixel over the scatter of sky pixels"),
    Column("host_snr_<F>", "", "stat.snr", "Diffuse light per pixel under the clump over the noise of a pixel"),
    Column("separation_arcsec", "arcsec", "pos.angDistance", "Distance to the nearest other clump"),
    Column("nucleus_arcsec", "arcsec", "pos.angDistance", "Distance to the brightest diffuse light of its galaxy"),
    Column("placed", "", "meta.code", "Why a clump was injected there: light (as the diffuse light), nucleus, critical, crowded"),
    Column("environment", "", "meta.code", "nucleus, critical (line), crowded, host or open: the first that applies"),
    Column("bias", "", "stat.median", "Median of measured over true minus one (fluxes, magnifications, sizes, distances), or of measured minus true"),
    Column("scatter", "", "stat.stdev", "Half of the 16-84 % range of the same"),
    Column("inside_68", "", "arith.ratio", "Share of true values inside the 68 % interval"),
    Column("inside_68_err", "", "stat.error", "Binomial error of inside_68"),
    Column("inside_95", "", "arith.ratio", "Share of true values inside the 95 % interval; of r_eff_limit, of true sizes below their limit"),
    Column("share_68", "", "arith.ratio", "Share of true values within 1 error"),
    Column("share_95", "", "arith.ratio", "Share of true values within 1.96 errors"),
    Column("constant", "", "stat.fit.param", "Natural logarithm of the pulls' width at a signal-to-noise of 10 without a host"),
    Column("log_snr", "", "stat.fit.param", "Its change by log10 of the signal-to-noise"),
    Column("log_host", "", "stat.fit.param", "Its change by log10 of 1 + host over noise"),
    Column("term_covariance", "", "stat.covariance", "Covariance of constant, log_snr and log_host"),
    Column("criterion", "", "meta.code", "detected; or counted: also with the bands and flags that statistics ask for"),
    Column("host_low", "", "stat.min", "Lower edge in host_over_noise"),
    Column("host_high", "", "stat.max", "Upper edge in host_over_noise"),
    Column("depth_ratio_low", "", "stat.min", "Lower edge in depth_ratio"),
    Column("depth_ratio_high", "", "stat.max", "Upper edge in depth_ratio"),
    Column("n_found", "", "meta.number", "Injected clumps that meet the criterion"),
    Column("completeness", "", "stat.fit.param", "Share of injected clumps that meet the criterion"),
    Column("completeness_lo", "", "stat.min", "Lower end of its 68 % Wilson interval"),
    Column("completeness_hi", "", "stat.max", "Upper end of its 68 % Wilson interval"),
    Column("model", "", "stat.fit.param", "Mean of the logistic fit over the same clumps"),
    *[Column(f"flux_{level}{end}_njy", "nJy", "phot.flux.density", f"{text}flux of {level} % completeness")
      for level in (50, 80, 90) for end, text in (("", "Limiting "), ("_err", "Error of the limiting "))],
    Column("lapse", "", "stat.fit.param", "Share of clumps that is missed however bright, such as next to much brighter ones"),
    Column("flux_complete_njy", "nJy", "phot.flux.density", "Flux at which clumps of its size and place are as complete as injection.completeness asks"),
    Column("flux_half_njy", "nJy", "phot.flux.density", "Flux at which half of the clumps of its size and place are counted, of those not missed however bright"),
    Column("width_dex", "", "stat.fit.param", "Width of the logistic completeness in log10 flux [dex]"),
    Column("quantity", "", "meta.id", "What the row is about"),
    Column("property", "", "meta.id", "Column of the catalogue that the row is about"),
    Column("group", "", "meta.id", "Which clumps or galaxies the row is of"),
    Column("by", "", "meta.id", "What groups are made by: all, redshift, magnification or host_mass"),
    *(Column(name, "", f"stat.{end}", f"{word} edge of the group (unit of what it is made by)") for name, end, word in (("low", "min", "Lower"), ("high", "max", "Upper"))),
    *(Column(f"z_{name}", "", f"stat.{end};src.redshift", f"{word} edge of the redshift bin") for name, end, word in (("low", "min", "Lower"), ("high", "max", "Upper"))),
    *(Column(f"distance_{name}", "kpc", f"stat.{end}", f"{word} edge of the distance bin") for name, end, word in (("low", "min", "Lower"), ("high", "max", "Upper"))),
    *(Column(f"log_mass_{name}", "dex(Msun)", f"stat.{end}", f"{word} edge of the host-mass bin") for name, end, word in (("low", "min", "Lower"), ("high", "max", "Upper"))),
    Column("n", "", "meta.number", "Number of values that the row is made of"),
    Column("value", "", "", "The statistic, in the row's unit"),
    Column("median", "", "stat.median", "Median, in the row's unit"),
    *(Column(f"err_{end}", "", "stat.error", f"{word} error (68 %), in the row's unit") for end, word in (("lo", "Lower"), ("hi", "Upper"))),
    *(Column(f"p{p}", "", "stat.value", f"{p} % of the sample, in the row's unit") for p in (16, 84)),
    Column("unit", "", "meta.unit", "Unit of the row's numbers"),
    Column("slope", "", "stat.fit.param", "Slope of the straight line; of N(> M) for mass functions"),
    Column("slope_err", "", "stat.error", "Error of slope"),
    Column("r", "", "stat.correlation", "Pearson's correlation coefficient"),
    Column("p", "", "stat.probability", "Two-sided probability of so large an r by chance"),
    Column("log_mass_limit", "dex(Msun)", "phys.mass", "log10 of the mass above which the mass function is complete"),
    Column("limit_source", "", "meta.code", "Where that limit is from: given, injection or turnover"),
    Column("n_above_limit", "", "meta.number", "Clumps above that limit"),
    Column("n_above", "", "meta.number", "Clumps at least as massive"),
    Column("age_yr", "yr", "time.age", "Age of the grid's model"),
    Column("z_zsun", "", "phys.abund.Z", "Metallicity of the grid's model over solar"),
    Column("significance", "", "stat.value", "How many sigma (two parameters) the model is worse than the best one"),
    Column("model_njy", "nJy", "phot.flux.density", "Flux density of the best model"),
    Column("published_model_njy", "nJy", "phot.flux.density", "Flux density of the best model of the published fluxes"),
    Column("published_flux_njy", "nJy", "phot.flux.density", "Published flux density"),
    Column("published_flux_err_njy", "nJy", "stat.error;phot.flux.density", "Error of published_flux_njy"),
    Column("radius_arcsec", "arcsec", "phys.angSize", "Radius of the galaxy's cutout"),
    Column("selected", "", "meta.code", "Whether the galaxy is measured"),
    Column("reason", "", "meta.note", "Why, or why not"),
    Column("filter", "", "meta.id;instr.filter", "Filter"),
    Column("sfh", "", "meta.id", "Star-formation history of the fit"),
    Column("lo", "", "stat.min", "Lower end of the 68 % interval, in the row's unit"),
    Column("hi", "", "stat.max", "Upper end of the 68 % interval, in the row's unit"),
    Column("statement", "", "meta.note", "What the row's value is, in words"),
    Column("law", "", "meta.id", "Law of a mass function: power_law, truncated (times exp(-M / M_c)), or broken (M^beta below M_b)"),
    *_with_errors("alpha", "", "stat.fit.param", "Slope of dN/dM ~ M^alpha by full likelihood; the cumulative slope is alpha + 1"),
    *_with_errors("log_mass_cut", "dex(Msun)", "phys.mass", "log10 of the truncation mass M_c"),
    *_with_errors("log_mass_break", "dex(Msun)", "phys.mass", "log10 of the mass M_b below which the broken law goes as M^beta"),
    *_with_errors("beta", "", "stat.fit.param", "Slope of dN/dM below the break"),
    Column("n_fitted", "", "meta.number", "Clumps at or above their own limits, which the likelihood uses"),
    Column("aic", "", "stat.fit.param", "Akaike's information criterion; the law with the smaller one is preferred"),
    Column("log_bayes_factor", "", "stat.fit.param", "Natural logarithm of the evidence over that of the power law"),
    Column("flux_ratio", "", "phot.flux.density;arith.ratio", "Median of measured over true flux"),
    Column("flux_ratio_err", "", "stat.error", "Standard error of flux_ratio"),
    Column("flux_scatter", "", "stat.stdev", "Half of the 16-84 % range of measured over true flux"),
    Column("pull_median", "", "stat.median", "Median of (measured - true) / error of the flux"),
    Column("pull_width", "", "stat.stdev", "Half of the 16-84 % range of (measured - true) / error; 1 for honest errors"),
    Column("catastrophic", "", "arith.ratio", "Share without a flux, or off by more than a factor of two and five errors"),
    Column("resolved", "", "arith.ratio", "Share with a measured size"),
    Column("size_ratio", "", "phys.angSize;arith.ratio", "Median of measured over true sigma where both have one"),
    Column("size_scatter", "", "stat.stdev", "Half of the 16-84 % range of measured over true sigma"),
    *_with_errors("mu", "", "phys.magnification", "Magnification (absolute)"),
    *_with_errors("mu_t", "", "phys.magnification", "Tangential magnification (absolute)"),
    *_with_errors("mu_r", "", "phys.magnification", "Radial magnification (absolute)"),
    *(Column(f"{name}_err_sys", "", "stat.error.sys;phys.magnification", f"Standard deviation of {name} between lens models, where there are several")
      for name in ("mu", "mu_t", "mu_r")),
    *(Column(f"{name}_models", "", "phys.magnification", f"{name} in each lens model, the reference first")
      for name in ("mu", "mu_t", "mu_r")),
    *_with_errors("r_eff_pc", "pc", "phys.size.radius", "Intrinsic effective (half-light) radius"),
    Column("r_eff_limit", "", "meta.code", "True where r_eff_pc is an upper limit"),
    Column("class", "", "src.class", "unresolved, compact or extended (C25 section 5.1)"),
    *_with_errors("distance_kpc", "kpc", "phys.distance", "Galactocentric distance in the source plane"),
    Column("central", "", "meta.code", "True for the clump nearest to the galaxy's barycentre of light, of those with a signal-to-noise above 3"),
    Column("source_ra", "deg", "pos.eq.ra", "Right ascension in the source plane, as seen without the lens"),
    Column("source_dec", "deg", "pos.eq.dec", "Declination in the source plane, as seen without the lens"),
    Column("source_x_arcsec", "arcsec", "pos.cartesian.x", "Source position West of the lens model's reference"),
    Column("source_y_arcsec", "arcsec", "pos.cartesian.y", "Source position North of the lens model's reference"),
    Column("offset_x_arcsec", "arcsec", "pos.cartesian.x", "Source position West of the mean of the system's images"),
    Column("offset_x_arcsec_err", "arcsec", "stat.error", "Standard deviation of offset_x_arcsec over the lens model's posterior"),
    Column("offset_y_arcsec", "arcsec", "pos.cartesian.y", "Source position North of the mean of the system's images"),
    Column("offset_y_arcsec_err", "arcsec", "stat.error", "Standard deviation of offset_y_arcsec over the lens model's posterior"),
    Column("rms_arcsec", "arcsec", "stat.stdev", "Root mean square distance of a system's images in the source plane"),
    Column("rms_kpc", "kpc", "stat.stdev", "Root mean square distance of a system's images in the source plane"),
    Column("intrinsic_flux_njy", "nJy", "phot.flux.density", "Flux in the group's filter over the magnification"),
    Column("intrinsic_flux_njy_err_fit", "nJy", "stat.error", "Error of intrinsic_flux_njy from the flux alone"),
    Column("chance", "", "stat.probability", "Probability that clumps of other galaxies would find as many partners as those of this image: small where counterparts are known"),
    *(column for name, about in _QUANTITIES.items() for column in _percentiles(name, *about)),
    *(Column(name, *about) for name, about in _QUANTITIES.items()),
    *(Column(f"best_{name}", unit, ucd, f"{text}, of the best model of the grid") for name, (unit, ucd, text) in _QUANTITIES.items()),
    Column("best_m_v_ab", "mag", "phot.mag;em.opt.V", "Rest-frame V absolute AB magnitude of the best model of the grid"),
    *(Column(f"{who}_{name}", *about) for who in ("true", "measured") for name, about in
      {**{n: _QUANTITIES[n] for n in ("log_mass", "log_age_mw_yr")}, "mu": ("", "phys.magnification", "Magnification (absolute)"),
       "r_eff_pc": ("pc", "phys.size.radius", "Intrinsic effective (half-light) radius")}.items()),
    Column("measured_flux_njy", "nJy", "phot.flux.density;em.IR.NIR", "Observed flux density in the reference filter"),
    Column("host_log_mass", "dex(Msun)", "phys.mass", "log10 stellar mass of the host, divided by its magnification"),
    Column("host_log_sfr100", "dex(Msun / yr)", "phys.SFR", "log10 star-formation rate (100 Myr) of the host, divided by its magnification"),
    *_with_errors("log_mass_host", "dex(Msun)", "phys.mass", "log10 stellar mass of the host"),
    Column("log_ssfr", "dex(1 / yr)", "phys.SFR", "log10 specific star-formation rate (100 Myr) of the host"),
    *_percentiles("log_ssfr", "dex(1 / yr)", "phys.SFR", "log10 specific star-formation rate (100 Myr)"),
    Column("n_clumps_apart", "", "meta.number", "Clumps whose light was taken off the galaxy's, and whose mass and rate were added (hosts.light)"),
    Column("log_mass_max", "dex(Msun)", "phys.mass", "log10 mass of the most massive clump but the central one"),
    Column("log_age_mw_max", "dex(yr)", "time.age", "log10 mass-weighted age of the most massive clump but the central one"),
    Column("log_mass_central", "dex(Msun)", "phys.mass", "log10 mass of the central clump"),
    Column("log_age_mw_central", "dex(yr)", "time.age", "log10 mass-weighted age of the central clump"),
    Column("log_f_cl", "", "phys.mass;arith.ratio", "log10 of the mass in clumps over the host's"),
    Column("log_f_cl_err", "", "stat.error", "Error of log_f_cl"),
    Column("log_mass_fraction", "", "phys.mass;arith.ratio", "log10 of the clump's mass over the host's"),
    Column("exceeds_host", "", "meta.code", "True where the clumps hold more mass than the fit of the host"),
    Column("n_clumps", "", "meta.number", "Number of clumps"),
    *_with_errors("m_v_ab", "mag", "phot.mag;em.opt.V", "Rest-frame V absolute AB magnitude (intrinsic)"),
    *_percentiles("m_v_ab", "mag", "phot.mag;em.opt.V", "Rest-frame V absolute AB magnitude"),
    Column("chi2", "", "stat.fit.chi2", "chi-squared of the best-fit SED"),
    Column("n_bands", "", "meta.number", "Number of filters used in the SED fit"),
    Column("n_bands_snr3", "", "meta.number", "Number of broad bands with S/N > 3"),
    Column("rhat", "", "stat.fit.goodness", "Largest split R-hat of the posterior's parameters"),
    Column("n_effective", "", "meta.number", "Smallest effective sample size of the posterior's parameters"),
    Column("sampler", "", "meta.code", "Sampler whose posterior is kept"),
    Column("flags", "", "meta.code.qual", "Quality flags, see clumpscope.flags"),
    Column("flag_names", "", "meta.code.qual", "Names of the quality flags"),
]  # fmt: skip

COLUMNS: dict[str, Column] = {column.name: column for column in _COLUMNS}

_FILTER = re.compile(r"(?<=_)F\d{3}[A-Z0-9]+(?=_)")


def column_info(name: str) -> Column | None:
    """Unit, UCD and meaning of an output column; None when it is not in the table."""
    match = _FILTER.search(name)
    if match is None:
        return COLUMNS.get(name)
    generic = COLUMNS.get(_FILTER.sub("<F>", name))
    if generic is None:
        return None
    return Column(name, generic.unit, generic.ucd, f"{generic.text} in {match[0]}")


def describe_columns(table: Table) -> Table:
    """Copy of `table` whose known columns carry unit, description and UCD; given units are kept."""
    table = table.copy()
    for name in table.colnames:
        info = column_info(name)
        if info is None:
            continue
        column = table[name]
        if info.unit and column.unit is None and column.dtype.kind == "f":
            column.unit = info.unit
        column.info.description = column.info.description or info.text
        column.info.meta = {**(column.info.meta or {}), "ucd": info.ucd}
    return table
