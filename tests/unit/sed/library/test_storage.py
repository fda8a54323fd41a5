import numpy as np
import pytest
from clumpscope.errors import InputError
from clumpscope.sed.library.storage import decode_log, encode_log, read_arrays, write_arrays


@pytest.fixture
def spectra():
    rng = np.random.default_rng(1)
    spectra = 10.0 ** rng.uniform(-10, 3, (3, 7, 11))
    spectra[0, 2, 3:6] = 0.0
    return spectra


def test_log_encoding_keeps_the_promised_accuracy(spectra):
    step = 2e-4
    decoded = decode_log(encode_log(spectra, step), step)
    positive = spectra > 0
    np.testing.assert_allclose(decoded[positive], spectra[positive], rtol=0.5 * step + 1e-6)
    assert (decoded[~positive] == 0.0).all()


def test_round_trip_and_same_bytes(tmp_path, spectra):
    arrays = {"a": encode_log(spectra, 1e-3), "x": np.linspace(0, 1, 5)}
    for name in ("one.npz", "two.npz"):
        write_arrays(tmp_path / name, arrays, {"name": "toy"})
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    back, metadata = read_arrays(tmp_path / "one.npz")
    assert metadata["name"] == "toy" and len(metadata["sha256"]) == 64
    np.testing.assert_array_equal(back["a"], arrays["a"])
    np.testing.assert_array_equal(back["x"], arrays["x"])


@pytest.mark.parametrize("place", np.linspace(0.02, 0.98, 13))
def test_a_damaged_byte_is_noticed(tmp_path, spectra, place):
    path = tmp_path / "toy.npz"
    write_arrays(path, {"a": encode_log(spectra, 1e-3)}, {"name": "toy"})
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 0xFF
    path.write_bytes(content)
    try:
        arrays, _ = read_arrays(path)
    except InputError:
        return
    # Zip files hold a few bytes that mean nothing (dates); then the content must be untouched.
    np.testing.assert_array_equal(arrays["a"], encode_log(spectra, 1e-3))


def test_changed_content_fails_the_checksum(tmp_path, spectra):
    path = tmp_path / "toy.npz"
    write_arrays(path, {"x": np.arange(3.0)}, {"name": "toy"})
    with np.load(path) as archive:
        members = dict(archive)
    np.savez(path, **{**members, "x": np.array([0.0, 1.0, 2.5])})
    with pytest.raises(InputError, match="checksum"):
        read_arrays(path)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 nearly"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(InputError, match="unreadable"):
        read_arrays(tmp_path / "x.npz")
    with pytest.raises(InputError, match="no such file"):
        read_arrays(tmp_path / "none.npz")
