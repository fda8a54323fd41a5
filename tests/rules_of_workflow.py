"""The rules as their files tell them."""

import re
from collections.abc import Iterator

from conftest import ROOT


def rule_texts() -> Iterator[tuple[str, str]]:
    """Name and text of every rule; one that each synthetic field has its own of is called ``mock``."""
    for file in sorted((ROOT / "rules").glob("*.smk")):
        for block in re.split(r"^\s*(?:rule|checkpoint)(?= \w+:$|:$)", file.read_text(), flags=re.M)[1:]:
            yield block.split(":")[0].strip() or re.search(r'name:\s*f"(\w+?)_?{', block)[1], block


def rules() -> Iterator[tuple[str, str, str]]:
    """Name, environment and script of every rule."""
    for name, block in rule_texts():
        environment = re.search(r'conda:\s*"\.\./(.*?)"', block)
        script = re.search(r'script:\s*"\.\./(.*?)"', block)
        yield name, environment[1], script[1]
