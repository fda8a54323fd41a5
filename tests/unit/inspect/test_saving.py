import http.client
import json
import os
import threading

import numpy as np
import pytest
import yaml
from astropy.table import Table
from clumpscope.__main__ import main
from clumpscope.errors import InputError
from clumpscope.inputs import read_edits
from clumpscope.inspect.saving import measured_again, read_rows, save_edits
from clumpscope.inspect.serving import InspectionServer
from clumpscope.tables import write_table

GALAXIES = Table({"id": ["1", "g2"], "ra": [10.0, 10.01], "dec": [-30.0, -30.0], "radius_arcsec": [1.5, 2.0]})
ADD = {"galaxy": "1", "action": "add", "ra": 10.0001, "dec": -30.0}
HOSTILE = '=cmd|"<script>alert(1)</script>",\n#,\r\U0001f52d' + "x" * 20000


@pytest.mark.parametrize("name", ["edits.csv", "edits.ecsv"])
def test_rows_come_back(tmp_path, name):
    path = tmp_path / name
    comment = {
        "galaxy": "g2",
        "action": "comment",
        "comment": HOSTILE,
        "who": 'A "B", C',
        "when": "2026-01-01T00:00:00Z",
    }
    assert read_rows(path) == []
    rows = save_edits(path, GALAXIES, [ADD, comment, {"galaxy": "g2", "action": "inspected"}], [])
    assert read_rows(path) == rows and len(rows) == 3
    assert rows[0]["ra"] == 10.0001 and rows[0]["comment"] is None
    assert (
        rows[1]["comment"] == HOSTILE.replace("\n", " ").replace("\r", " ")[:10000]
        and rows[1]["who"] == 'A "B", C'
    )
    # Said again, nothing changes; the same bytes.
    before = path.read_bytes()
    assert save_edits(path, GALAXIES, [ADD], [{"galaxy": "1", "action": "inspected"}]) == rows
    assert path.read_bytes() == before
    assert [row["galaxy"] for row in save_edits(path, GALAXIES, [], [ADD])] == ["g2", "g2"]
    read = read_edits(str(path), GALAXIES)
    assert list(read["action"]) == ["comment", "inspected"] and read["comment"][1] == ""
    assert save_edits(path, GALAXIES, [], read_rows(path)) == [] and len(read_edits(str(path), GALAXIES)) == 0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{**ADD, "galaxy": "g9"}], "row 1: found 'g9'; expected an id of the galaxy catalogue"),
        ([{**ADD, "action": "<b>"}], "column 'action', row 1: found '<b>'"),
        ([ADD, {**ADD, "ra": None}], r"row 2 \(add in galaxy 1\): found no position; expected ra and dec"),
        ([{**ADD, "action": "move"}], "expected ra, dec, ra_to and dec_to"),
        ([{**ADD, "ra": 10.01}], r"a position 31\.2 arcsec from the galaxy; expected one inside its cutout, at most 3\.5"),
        ([{**ADD, "action": "move", "ra_to": 10.0, "dec_to": -29.99}], r"a position 36\.0 arcsec"),
        ([ADD, {**ADD, "action": "remove"}], r"rows 1 and 2 \(galaxy 1\): found 'add' and 'remove' of one clump"),
        (
            [{**ADD, "action": "remove", "who": "Ann"}, {**ADD, "action": "move", "ra_to": 10.0, "dec_to": -30.0, "who": "Ben"}],
            "found 'remove' by Ann and 'move' by Ben of one clump; expected one of them. Delete the row",
        ),
        (
            [{**ADD, "action": "move", "ra_to": 10.0, "dec_to": dec} for dec in (-30.0, -30.0001)],
            "'move' and 'move' of one clump",
        ),
        ([{"galaxy": "1", "action": "reject", "who": "Ann"}, {**ADD, "who": "Ben"}], "'reject' by Ann and 'add' by Ben of one galaxy"),
    ],
)  # fmt: skip
def test_bad_rows_change_nothing(tmp_path, rows, message):
    path = tmp_path / "edits.csv"
    path.write_text("galaxy,action,ra,dec,comment\n")
    with pytest.raises(InputError, match=message) as caught:
        save_edits(path, GALAXIES, rows, [])
    assert str(path) in str(caught.value) and "writing-" not in str(caught.value)
    assert path.read_text() == "galaxy,action,ra,dec,comment\n"


def test_what_two_people_say_alike_is_taken_once(tmp_path, caplog):
    path = tmp_path / "edits.csv"
    path.write_text(
        "galaxy,action,ra,dec,who\n1,remove,10.0001,-30,Ann\n1,remove,10.0001000001,-30,Ben\n1,reject,,,Ann\n"
    )
    read = read_edits(str(path), GALAXIES)
    assert list(read["who"]) == ["Ann", "Ann"]
    assert "row 2: says what row 1 says" in caplog.text


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.csv or \.ecsv"):
        save_edits(tmp_path / "edits.fits", GALAXIES, [ADD], [])


def test_time_is_that_of_the_last_run(tmp_path):
    for name, seconds in (
        ("galaxies/1/fit", 3.5),
        ("galaxies/g2/fit", 100),
        ("sed/exp/1/0", 20),
        ("catalogue", 1),
        ("mock", 500),
    ):
        path = tmp_path / "f" / "benchmarks" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\n{seconds}\t0:00:01\n")
    assert measured_again(tmp_path, "f", [ADD, {"galaxy": "g2", "action": "inspected"}]) == (["1"], 24.5)
    assert measured_again(tmp_path, "f", [{"galaxy": "g2", "action": "comment"}]) == ([], 0.0)


@pytest.fixture
def server(tmp_path):
    (tmp_path / "results/f/inspect").mkdir(parents=True)
    (tmp_path / "results/f/inspect/index.html").write_text("<p>pages</p>")
    write_table(GALAXIES, tmp_path / "results/f/selection.ecsv")
    fields = {"f": {"edits": str(tmp_path / "edits.csv")}, "other": {}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"fields": fields}))
    with InspectionServer(str(tmp_path / "config.yaml"), str(tmp_path / "results"), 0) as own:
        threading.Thread(target=own.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield own
        own.shutdown()


def ask(server, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_edits_are_saved_by_pages_that_know_the_token(server, tmp_path):
    known = {"X-Token": server.token}
    body = json.dumps({"add": [ADD], "drop": []})
    assert ask(server, "GET", "/f/inspect/index.html") == (200, "<p>pages</p>")
    assert server.server_address[0] == "127.0.0.1" and server.addresses()[0].endswith(
        f"/f/inspect/index.html#token={server.token}"
    )
    status, told = ask(server, "POST", "/edits/f", body, **known)
    assert status == 200 and len(json.loads(told)["edits"]) == 1 and "Measured again: 1;" in told
    assert (
        read_rows(tmp_path / "edits.csv")
        == json.loads(told)["edits"]
        == json.loads(ask(server, "GET", "/edits/f", **known)[1])["edits"]
    )
    before = (tmp_path / "edits.csv").read_bytes()
    refused = [
        ask(server, "POST", "/edits/f", body),
        ask(server, "POST", "/edits/f", body, **{"X-Token": "x"}),
        ask(server, "GET", "/edits/f"),
        ask(server, "POST", "/edits/f", body, **known, Origin="https://elsewhere.example"),
        ask(server, "POST", "/edits/f", body, **known, Origin="null"),
        ask(server, "GET", "/f/inspect/index.html", Host="elsewhere.example"),
    ]
    assert {status for status, _ in refused} == {403}
    for path, content, message in (
        ("/edits/f", "no JSON", "no JSON"),
        ("/edits/f", '{"add": [1]}', "lists `add` and `drop`"),
        (
            "/edits/f",
            json.dumps({"add": [{**ADD, "galaxy": "../../x"}], "drop": []}),
            "an id of the galaxy catalogue",
        ),
        ("/edits/other", body, "Add `edits: edits_other.csv`"),
        ("/edits/..%2Fx", body, "expected one of f, other"),
    ):
        status, told = ask(server, "POST", path, content, **known)
        assert status == 400 and message in json.loads(told)["error"]
    assert (tmp_path / "edits.csv").read_bytes() == before
    assert ask(server, "GET", "/../config.yaml")[0] == 404 and sorted(os.listdir(tmp_path)) == [
        "config.yaml",
        "edits.csv",
        "results",
    ]


def test_what_cannot_be_served(server, tmp_path, capsys):
    config = str(tmp_path / "config.yaml")
    taken = ["inspect", config, "--results", str(tmp_path / "results"), "--port", str(server.server_port)]
    assert main(taken) == 1 and "expected a free port" in capsys.readouterr().err
    assert (
        main(["inspect", config, "--results", str(tmp_path)]) == 1
        and "inspect/index.html" in capsys.readouterr().err
    )
    assert main(["inspect", str(tmp_path / "none.yaml")]) == 1 and "none.yaml" in capsys.readouterr().err
    assert np.isfinite(server.server_port)
