from clumpscope import precompile
from clumpscope.images import compiled as image_loops
from clumpscope.lensing.models import compiled as lens_loops
from clumpscope.photometry import compiled as fit_loops
from clumpscope.sed.models import compiled as sed_loops


def test_all_loops_that_jobs_call_are_compiled_ahead():
    for task in precompile.TASKS:
        task()
    loops = {
        (room.__name__, name): getattr(room, name)
        for room in (image_loops, fit_loops, lens_loops, sed_loops)
        for name in room.__all__
        if hasattr(getattr(room, name), "signatures")
    }
    assert len(loops) >= 10
    assert not [name for name, loop in loops.items() if not loop.signatures]
