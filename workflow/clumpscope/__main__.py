"""Commands of the library, beside the workflow's: `clumpscope init FOLDER`, `check CONFIG`, `inspect CONFIG` and `made_by FILE`."""

import argparse
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

from .errors import InputError

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when there is nothing to mend."""
    parser = argparse.ArgumentParser(prog="clumpscope", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    init = commands.add_parser(
        "init", help="write a commented configuration from a folder of mosaics, and check it"
    )
    init.add_argument("folder", help="mosaics, galaxy catalogue, lens model, as far as they are there")
    init.add_argument("--output", help="the configuration to write (default: FOLDER's name, .yaml, here)")
    check = commands.add_parser("check", help="check a configuration and all its inputs, without a run")
    check.add_argument("config", help="the configuration")
    inspect = commands.add_parser(
        "inspect", help="show the inspection pages, and save what is edited in them"
    )
    inspect.add_argument("config", help="the configuration of the run")
    inspect.add_argument("--results", default="results", help="folder of results (default: results)")
    inspect.add_argument("--port", type=int, help="port of this machine")
    made_by = commands.add_parser(
        "made_by", help="print version, settings, seed and inputs' checksums of one product"
    )
    made_by.add_argument("file", help="a product of a run, such as results/FIELD/catalogue.ecsv")
    given = parser.parse_args(arguments)
    try:
        if given.command == "made_by":
            return _made_by(given.file)
        if given.command == "inspect":
            return _inspect(given.config, given.results, given.port)
        config = _init(given.folder, given.output) if given.command == "init" else given.config
        return _check(config, given.command == "init")
    except InputError as error:
        print(error, file=sys.stderr)
        return 1


def _init(folder: str, output: str | None) -> str:
    from .own_field import describe_folder

    target = Path(output or f"{Path(folder).resolve().name}.yaml")
    if target.exists():
        raise InputError(
            str(target), "a file that is there already", "a new file", "Name another with --output."
        )
    text = describe_folder(folder)
    target.write_text(text)
    marked = Counter(line.strip() for line in text.splitlines()[1:] if "# ?" in line)
    print(f"{target} is written; {marked.total()} lines are marked `# ?`:")
    print(*(f"  {line}{f' ({n} times)' if n > 1 else ''}" for line, n in marked.items()), sep="\n")
    return str(target)


def _inspect(config: str, results: str, port: int | None) -> int:
    from .inspect.serving import PORT, InspectionServer

    with InspectionServer(config, results, PORT if port is None else port) as server:
        print("Open in a browser (Ctrl-C ends it):", *server.addresses(), sep="\n  ", flush=True)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0


def _made_by(path: str) -> int:
    from .report.history import history

    print(history(path), end="")
    return 0


def _check(config: str, new: bool) -> int:
    from .checking import check_configuration

    findings = check_configuration(config)
    print(findings.page(), end="")
    if any(findings.mosaics.values()):
        picture = Path(config).with_suffix(".png").name
        findings.picture(picture)
        print(f"Footprints: {picture}")
    if findings.errors:
        print(f"Mend these, then: clumpscope check {config}")
    else:
        then = "Look at the marked lines, then" if new else "Next"
        print(f"{then}: snakemake --cores 8 --configfile {config} --dry-run")
    return int(bool(findings.errors))


if __name__ == "__main__":
    sys.exit(main())
