"""Posteriors of objects whose redshift is uncertain: a mixture over a few redshifts."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...flags import bit
from ..library.ssp import SSPLibrary
from .fit import Fitter
from .posterior import Posterior
from .settings import FitSettings

__all__ = ["RedshiftMixture", "fitter_of", "mix"]


def mix(posteriors: Sequence[Posterior], redshift: float, digest: str) -> Posterior:
    """One posterior of as many draws from several that are equally probable.

    Parameters
    ----------
    posteriors : sequence of Posterior
        Of one object at different redshifts, with as many draws each.
    redshift : float
        The object's redshift.
    digest : str
        Hash of the mixture.

    Returns
    -------
    Posterior
        Its samples have one quantity more, ``z``. Best fit, chi2, model fluxes and flags are those of the redshift
        nearest to the object's; it has converged when all have.
    """
    nearest = min(posteriors, key=lambda one: abs(one.redshift - redshift))
    n_draws = len(next(iter(nearest.samples.values())))
    shares = np.diff(np.linspace(0, n_draws, len(posteriors) + 1).round().astype(int))
    # Draws are in the order of the sampler's time: evenly spaced ones are as good as all.
    picked = [np.linspace(0, n_draws - 1, share).round().astype(int) for share in shares]
    samples = {
        name: np.concatenate([one.samples[name][rows] for one, rows in zip(posteriors, picked, strict=True)])
        for name in nearest.samples
    }
    samples["z"] = np.repeat([one.redshift for one in posteriors], shares).astype(np.float32)
    unsettled = np.bitwise_or.reduce([one.flags & bit("not_converged") for one in posteriors])
    return replace(
        nearest,
        samples=samples,
        best={**nearest.best, "z": nearest.redshift},
        redshift=redshift,
        converged=all(one.converged for one in posteriors),
        rhat=max(one.rhat for one in posteriors),
        # As many draws are taken of each.
        n_effective=len(posteriors) * min(one.n_effective for one in posteriors),
        n_calls=sum(one.n_calls for one in posteriors),
        flags=int(nearest.flags | unsettled),
        hash=digest,
    )


def fitter_of(
    filters: Sequence[str],
    redshifts: Sequence[float],
    redshift: float,
    settings: FitSettings,
    library: str | os.PathLike | SSPLibrary,
) -> "Fitter | RedshiftMixture":
    """What fits a galaxy's clumps: a `Fitter`, or the mixture of those at its equally probable redshifts.

    Parameters
    ----------
    filters : sequence of str
    redshifts : sequence of float
        One, or several where the redshift is uncertain.
    redshift : float
        The galaxy's.
    settings : FitSettings
    library : str, path-like or SSPLibrary
    """
    fitters = [Fitter(filters, one, settings, library) for one in redshifts]
    return fitters[0] if len(fitters) == 1 else RedshiftMixture(fitters, redshift)


class RedshiftMixture:
    """Fits of objects at several equally probable redshifts, with the interface of a `Fitter`.

    The redshifts' probabilities are not changed by how well each fits: a photometric redshift is made from the galaxy's
    colours, which its clumps share, so that the same evidence would count twice.

    Parameters
    ----------
    fitters : sequence of Fitter
        Alike but for their redshift.
    redshift : float
        The objects' redshift.
    """

    def __init__(self, fitters: Sequence[Fitter], redshift: float) -> None:
        self.fitters, self.redshift = tuple(fitters), float(redshift)

    def digest(self, *data: object) -> str:
        """Hash of what the mixture for one object depends on (arguments of `Fitter.digest`)."""
        parts = [fitter.digest(*data) for fitter in self.fitters]
        return hashlib.sha256(f"{self.redshift!r} {' '.join(parts)}".encode()).hexdigest()

    def fit(
        self,
        flux_njy: np.ndarray,
        error_njy: np.ndarray,
        identity: str = "",
        common_njy: np.ndarray | None = None,
    ) -> Posterior:
        """Posterior of one object, as `Fitter.fit`; it takes as many times as long as there are redshifts."""
        data = flux_njy, error_njy, identity, common_njy
        digest = self.digest(identity, flux_njy, error_njy, common_njy)
        return mix([fitter.fit(*data) for fitter in self.fitters], self.redshift, digest)
