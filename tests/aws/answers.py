"""Holds the tables of crates/hlctl-resources/src/answers against botocore's service models.

Every leaf of the answer to every operation that the tables name must have a line there, and every line must be a leaf of the model:
a newer botocore with one member more fails here, until somebody says what hlctl does about it.

    python answers.py               compares, and fails on any difference
    python answers.py kms ListKeys  prints the leaves of one answer, as lines for the table

A line ends in `(not in the SDK)` where the AWS SDK for Rust, in the version of Cargo.lock, has no field for the leaf: hlctl sees it all the same.
"""

import functools
import os
import pathlib
import re
import sys
import tomllib

import botocore
import botocore.loaders
import botocore.model

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLES = ROOT / "crates" / "hlctl-resources" / "src" / "answers"
CLASSES = {"managed", "selects", "watched", "attached", "ignored"}


def service_model(service, loader=None):
    loader = loader or botocore.loaders.Loader()
    return botocore.model.ServiceModel(loader.load_service_model(service, "service-2"), service)


CRATES = {"cognito-idp": "cognitoidentityprovider", "logs": "cloudwatchlogs"}
NOT_IN_SDK = "(not in the SDK)"


def plain(name):
    return re.sub(r"^r#|[^a-z0-9]", "", name.lower())


class Sdk:
    """The fields of the structures of one crate, by names without underscores: generated code renames `KMSKeyID` to `kms_key_id`."""

    def __init__(self, service):
        crate = f"aws-sdk-{CRATES.get(service, service)}"
        packages = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
        version = next(package["version"] for package in packages if package["name"] == crate)
        home = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
        sources = next(home.glob(f"registry/src/*/{crate}-{version}/src"), None)
        if sources is None:
            raise SystemExit(f"the sources of {crate} {version} are not there; `cargo fetch` gets them")
        files = [*sources.glob("types/_*.rs"), *sources.glob("operation/*/_*_output.rs")]
        self.fields = {plain(path.stem): self.fields_of(path) for path in files}

    @staticmethod
    def fields_of(path):
        text = re.sub(r"(?s)\nimpl .*", "", path.read_text())
        return {plain(name).removesuffix("value") for name in re.findall(r"(?m)^    pub (?:\(crate\) )?([a-z_0-9#]+):", text)} | {
            plain(name) for name in re.findall(r"(?m)^    pub ([a-z_0-9#]+):", text)
        }

    def has(self, structure, member):
        return plain(member) in self.fields.get(plain(structure), ())


class Anything:
    """Stands for the SDK where nobody asks about it."""

    def has(self, structure, member):
        return True


def leaves(service, operation, sdk=None):
    """The paths of all leaves of the answer as they are on the wire: `a.b` a member, `a[]` an element, `a{}` a value of a map. With an
    `sdk`, those that it has no field for."""
    return [path for path, is_known in all_leaves(service, operation, sdk or Anything()) if sdk is None or not is_known]


def all_leaves(service, operation, sdk):
    output = service.operation_model(operation).output_shape
    is_xml = service.metadata["protocol"] in ("rest-xml", "query")
    found = []
    if output is None:
        return found

    def member_path(path, name):
        return f"{path}.{name}" if path else name

    def walk(shape, path, above, known):
        if shape.type_name == "structure":
            if shape.name in above or not shape.members:
                found.append((path, known))
                return
            for name, member in shape.members.items():
                walk_member(name, member, path, above | {shape.name}, known and sdk.has(shape.name, name))
        elif shape.type_name == "list":
            if is_xml and not shape.serialization.get("flattened"):
                path = member_path(path, shape.member.serialization.get("name", "member"))
            walk(shape.member, path + "[]", above, known)
        elif shape.type_name == "map":
            walk(shape.value, path + "{}", above, known)
        else:
            found.append((path, known))

    def walk_member(name, member, path, above, known):
        where = member.serialization.get("location")
        wire = member.serialization.get("name", name)
        if where in ("header", "headers"):
            found.append(("header:" + wire.lower(), known))
        elif where != "statusCode":
            if is_xml and member.type_name == "list" and member.serialization.get("flattened"):
                wire = member.member.serialization.get("name") or wire
            walk(member, member_path(path, wire), above, known)

    payload = output.serialization.get("payload")
    for name, member in output.members.items():
        known = sdk.has(f"{operation}Output", name)
        if name != payload:
            walk_member(name, member, "", frozenset(), known)
        elif member.type_name == "structure":
            walk(member, "", frozenset(), known)
        else:
            found.append(("body", known))
    return found


def read_table(text, where):
    """The sections of one table: (kind, service, operation) and the lines below, path to class. Problems come second."""
    sections, problems, lines = {}, [], None
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#", 1)[0].rstrip()
        if not line:
            continue
        at = f"{where}:{number}"
        if not line.startswith(" "):
            heading = re.fullmatch(r"(\S+): (\S+) (\S+)(?: \(watched only\))?", line)
            if not heading:
                problems.append(f"{at}: not a heading: {line}")
                continue
            lines = sections.setdefault(heading.groups(), {})
            if lines:
                problems.append(f"{at}: a second section for {line}")
            continue
        path, kind, *rest = line.split()
        if lines is None or kind not in CLASSES:
            problems.append(f"{at}: not a line: {line}")
        elif path in lines:
            problems.append(f"{at}: a second line for {path}")
        elif kind in ("managed", "selects", "ignored") and not rest:
            problems.append(f"{at}: {kind} needs {'a reason' if kind == 'ignored' else 'an attribute'}")
        else:
            lines[path] = (kind, line.endswith(NOT_IN_SDK))
    return sections, problems


def compare(sections, models, sdks=lambda _: Anything()):
    problems = []
    for (kind, service, operation), lines in sections.items():
        model = models(service)
        if operation not in model.operation_names:
            problems.append(f"{service} {operation}: botocore has no such operation")
            continue
        known = set(leaves(model, operation))
        where = f"{kind}: {service} {operation}"
        problems += [f"{where}: {path} has no line" for path in sorted(known - set(lines))]
        problems += [f"{where}: {path} is in no model" for path in sorted(set(lines) - known)]
        missing = set(leaves(model, operation, sdks(service)))
        marked = {path for path, (_, is_marked) in lines.items() if is_marked}
        problems += [f"{where}: {path} is to be marked {NOT_IN_SDK}" for path in sorted((missing - marked) & set(lines))]
        problems += [f"{where}: {path} is marked {NOT_IN_SDK}, which has it" for path in sorted((marked - missing) & known)]
    return problems


def check(tables=TABLES, loader=None):
    models = functools.cache(lambda service: service_model(service, loader))
    sdks = functools.cache(Sdk)

    sections, problems = {}, []
    for path in sorted(tables.glob("*.txt")):
        found, wrong = read_table(path.read_text(), path.name)
        sections.update(found)
        problems += wrong
    if not sections:
        problems.append(f"there is no table in {tables}")
    return problems + compare(sections, models, sdks), sum(map(len, sections.values())), len(sections)


def check_the_check():
    """The comparison must notice a member more, a member less and a line without a reason."""
    model = service_model("kms")
    lines = dict.fromkeys(leaves(model, "DescribeKey"), ("ignored", False))
    key = ("kms_key", "kms", "DescribeKey")
    assert compare({key: lines}, lambda _: model) == []
    assert compare({key: {**lines, "KeyMetadata.New": ("watched", False)}}, lambda _: model)
    lines.pop("KeyMetadata.Enabled")
    assert compare({key: lines}, lambda _: model) == ["kms_key: kms DescribeKey: KeyMetadata.Enabled has no line"]
    assert compare({key: {"KeyMetadata.Arn": ("ignored", True)}}, lambda _: model)[-1].endswith("which has it")
    assert read_table("kms_key: kms DescribeKey\n    A ignored\n", "t")[1]
    assert read_table("kms_key: kms DescribeKey\n    A unheard of\n", "t")[1]


def main():
    if len(sys.argv) == 3:
        for path in leaves(service_model(sys.argv[1]), sys.argv[2]):
            print(f"    {path}")
        return 0
    check_the_check()
    problems, lines, sections = check()
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{lines} leaves of {sections} answers, by botocore {botocore.__version__}: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
