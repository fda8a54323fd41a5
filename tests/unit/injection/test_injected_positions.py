import numpy as np
from clumpscope.injection.positions import choose_positions, share_images


def test_positions_follow_the_light_and_keep_away():
    weight = np.zeros((60, 80))
    weight[10:50, 10:40], weight[10:50, 40:70] = 3.0, 1.0
    taken = np.array([[25.2, 30.1], [50.0, 20.0]])
    places = choose_positions(np.random.default_rng(1), weight, taken, 4.0, 20_000)
    assert places[:, 0].min() >= 9.5 and places[:, 0].max() < 69.5
    for x, y in taken:
        assert np.hypot(places[:, 0] - x, places[:, 1] - y).min() >= 4.0
    # Both halves lose the same area around one clump each.
    share = np.mean(places[:, 0] < 39.5)
    assert abs(share - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 20_000)
    inside = places - np.rint(places)
    assert abs(inside.std() - 1 / np.sqrt(12)) < 0.01


def test_no_free_pixel_gives_no_position():
    weight = np.ones((5, 5))
    assert choose_positions(np.random.default_rng(1), weight, np.array([[2, 2]]), 9.0, 3).shape == (0, 2)


def test_neighbours_never_share_an_image():
    places = np.random.default_rng(2).uniform(0, 100, (60, 2))
    images = share_images(places, 20.0)
    assert sorted(np.concatenate(images)) == list(range(60))
    for members in images:
        own = places[members]
        distance = np.hypot(*(own[:, None] - own[None]).transpose(2, 0, 1))
        assert distance[~np.eye(len(own), dtype=bool)].min(initial=np.inf) >= 20.0
    assert len(share_images(places, 0.0)) == 1 and share_images(np.empty((0, 2)), 5.0) == []
