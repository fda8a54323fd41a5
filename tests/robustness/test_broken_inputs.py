"""A short campaign of broken inputs: nothing passes in silence, nothing ends in a traceback."""

from campaign import campaign


def test_broken_inputs_are_refused_or_told(tmp_path):
    outcomes = list(campaign(tmp_path, cases=61, seed=20261126))  # one cycle of all kinds
    wrong = [one for one in outcomes if one.verdict not in ("refused", "told")]
    assert wrong == []
    assert sum(one.verdict == "refused" for one in outcomes) >= 0.95 * len(outcomes)
