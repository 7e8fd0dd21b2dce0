"""Prints packaging/hlctl.rb for a release: formula.py SHA256SUMS, with the checksums of the archives of all four platforms."""

import pathlib
import re
import sys

FORMULA = pathlib.Path(__file__).resolve().parent.parent / "packaging" / "hlctl.rb"
ARCHIVE = re.compile(r"hlctl-(?P<version>\d[0-9A-Za-z.+-]*)-(?P<triple>(?:x86_64|aarch64)-.*)\.tar\.gz")


class FormulaError(Exception):
    """Why the formula cannot be filled in."""


def fill(template, checksums):
    """The formula without its comment, with the version and the checksums that `checksums` names."""
    values = {}
    for line in checksums.splitlines():
        digest, name = line.split(maxsplit=1)
        if found := ARCHIVE.fullmatch(name):
            if values.setdefault("version", found["version"]) != found["version"]:
                raise FormulaError(f"there are archives of {values['version']} and {found['version']}")
            values[f"sha256:{found['triple']}"] = digest

    def value(match):
        if match[1] not in values:
            raise FormulaError(f"the checksums say nothing of {match[1]}")
        return values[match[1]]

    text = "".join(line for line in template.splitlines(keepends=True) if not line.startswith("#"))
    return re.sub(r"@([a-z][a-z0-9_:-]*)@", value, text)


if __name__ == "__main__":
    try:
        print(fill(FORMULA.read_text(), pathlib.Path(sys.argv[1]).read_text()), end="")
    except FormulaError as error:
        sys.exit(f"formula: {error}")
