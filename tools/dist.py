"""Builds what a release carries into dist/, and tries it from a clean directory in an empty environment.

dist.py [--build-only] [--programs DIR] [--authorizers DIR] [--out DIR]

It packs for the machine that it runs on: Linux or macOS, x86_64 or aarch64. The packages hold no time and their members are sorted,
so that the same programs give the same bytes. Every check that fails ends the script with an error; the checksums are written before
the packages are tried, since they are tried too.
"""

import argparse
import base64
import dataclasses
import gzip
import hashlib
import io
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
# The glibc of Amazon Linux 2023, in which Lambda runs the authorizer; RHEL 9, Ubuntu 22.04 and Debian 12 have it too.
GLIBC_FLOOR = (2, 34)
LARGEST_HLCTL = 25_000_000
AUTHORIZER = "hlctl-authorizer"
COMPLETIONS = {"bash": "hlctl.bash", "zsh": "_hlctl", "fish": "hlctl.fish"}
DOCUMENTS = ("LICENSE-APACHE", "LICENSE-MIT", "README.md", "CHANGELOG.md")
# 1 January 1980, the first day that a zip archive can hold; tar and ar take it too.
EPOCH = 315532800


class DistError(Exception):
    """Why there is no release."""


@dataclasses.dataclass(frozen=True)
class Platform:
    """A machine that hlctl is packed for, and what the packages call it."""

    triple: str
    # Python's platform tag: https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/
    wheel: str
    # How Lambda names the processor; an authorizer that another platform carries ends in it.
    processor: str
    # Debian's name of the processor; None where there is no such package.
    debian: str | None = None

    @property
    def is_linux(self):
        return "linux" in self.triple


GLIBC_TAG = f"manylinux_{GLIBC_FLOOR[0]}_{GLIBC_FLOOR[1]}"
# For macOS the versions are the oldest that Rust supports ("Platform Support", *-apple-darwin).
PLATFORMS = {
    ("Linux", "x86_64"): Platform("x86_64-unknown-linux-gnu", f"{GLIBC_TAG}_x86_64", "x86_64", "amd64"),
    ("Linux", "aarch64"): Platform("aarch64-unknown-linux-gnu", f"{GLIBC_TAG}_aarch64", "arm64", "arm64"),
    ("Darwin", "x86_64"): Platform("x86_64-apple-darwin", "macosx_10_12_x86_64", "x86_64"),
    ("Darwin", "arm64"): Platform("aarch64-apple-darwin", "macosx_11_0_arm64", "arm64"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-only", action="store_true", help="build both programs into target/programs; pack nothing")
    parser.add_argument("--programs", type=pathlib.Path, help="take the programs from this directory; build nothing")
    parser.add_argument("--authorizers", type=pathlib.Path, help="a directory of hlctl-authorizer-linux-PROCESSOR, to be carried too")
    parser.add_argument("--out", type=pathlib.Path, default=REPOSITORY / "dist")
    arguments = parser.parse_args()
    here = PLATFORMS.get((platform.system(), platform.machine()))
    if not here:
        raise DistError(f"nothing is packed for {platform.system()} on {platform.machine()}")
    metadata = crates(here)
    package = next(package for package in metadata["packages"] if package["name"] == "hlctl")
    version = package["version"]
    programs = arguments.programs.resolve() if arguments.programs else build(here)
    if here.is_linux:
        for program in ("hlctl", AUTHORIZER):
            check_program(programs / program)
    if arguments.build_only:
        return
    out = arguments.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        tree = pathlib.Path(scratch) / f"hlctl-{version}-{here.triple}"
        stage(programs, authorizers(arguments.authorizers, here), tree)
        made = [write_tarball(tree, out), write_wheel(tree, package, here, out), write_sbom(metadata, package, here, out)]
        if here.debian:
            made.append(write_debian_package(tree, package, here, out, pathlib.Path(scratch)))
    write_checksums(made, out)
    with tempfile.TemporaryDirectory() as clean:
        try_release(version, here, out, pathlib.Path(clean))
    for path in made:
        print(f"{path.stat().st_size:>12,}  {path.name}")
    # Last, since packages that are too large can be tried nevertheless.
    check_size(programs / "hlctl", here)


def run(*command, **options):
    """Runs a command and gives its output; its failure is this script's."""
    command = [str(part) for part in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    if done.returncode:
        raise DistError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def crates(here):
    """What Cargo says of hlctl and of all crates that it needs on this platform."""
    return json.loads(run("cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", here.triple, cwd=REPOSITORY))


def build(here):
    """Builds hlctl by the profile dist and the authorizer as it runs in Lambda, and gives the directory of both."""
    folder = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target")
    environment = {**os.environ, "CARGO_INCREMENTAL": "0"}
    hlctl = ["cargo", "rustc", "--locked", "--profile", "dist", "--package", "hlctl", "--bin", "hlctl", "--", *link_options(here)]
    authorizer = ["cargo", "build", "--locked", "--profile", "lambda", "--package", AUTHORIZER]
    for command in (hlctl, authorizer):
        if subprocess.run(command, cwd=REPOSITORY, env=environment).returncode:
            raise DistError(" ".join(command))
    both = folder / "programs"
    both.mkdir(exist_ok=True)
    shutil.copy2(folder / "dist" / "hlctl", both / "hlctl")
    shutil.copy2(folder / "lambda" / "bootstrap", both / AUTHORIZER)
    return both


def link_options(here):
    """What the linker of this platform can do against size. Rust's own, LLD, is the default on this one only (Rust 1.90).

    It makes one of functions whose code is the same, of which the SDK has many; nothing here compares addresses of functions. It leaves
    out the tables for unwinding, which nothing does: a panic ends the process, and without symbols a backtrace names nothing. The program
    has a fixed address, as Go's have and so Terraform, and needs none of the 100,000 relocations that the loader would do at each start.
    """
    if here.triple != "x86_64-unknown-linux-gnu":
        return []
    script = REPOSITORY / "tools" / "without_unwind_tables.ld"
    return ["-C", "link-arg=-Wl,--icf=all", "-C", f"link-arg=-Wl,-T,{script}", "-C", "relocation-model=static"]


def check_size(hlctl, here):
    """Fails if hlctl is larger than is promised of the platform that most people use; the others are not measured."""
    size = hlctl.stat().st_size
    print(f"{hlctl.name}: {size:,} bytes")
    if here.triple == "x86_64-unknown-linux-gnu" and size > LARGEST_HLCTL:
        raise DistError(f"{hlctl} is larger than {LARGEST_HLCTL:,} bytes")


def check_program(program):
    """Fails if the program needs a newer glibc than the floor, or packs its relocations, which only glibc 2.36 reads."""
    needed = {
        tuple(int(part) for part in found.split("."))
        for found in re.findall(r"\bGLIBC_(\d+\.\d+)", run("objdump", "-T", program))
    }
    if not needed:
        raise DistError(f"{program} names no version of glibc; is it a program for Linux with glibc?")
    newest = ".".join(map(str, max(needed)))
    if max(needed) > GLIBC_FLOOR:
        raise DistError(f"{program} needs glibc {newest}; build it where glibc is older (floor: {'.'.join(map(str, GLIBC_FLOOR))})")
    if "RELR" in run("readelf", "--dynamic", "--wide", program):
        raise DistError(f"{program} has packed relocations (DT_RELR)")
    print(f"{program.name}: glibc {newest} or newer")


def authorizers(directory, here):
    """The authorizers for Lambda that are carried next to that of this platform, which Lambda runs only if it is Linux."""
    if not directory:
        return []
    own = f"{AUTHORIZER}-linux-{here.processor}" if here.is_linux else None
    found = sorted(path for path in directory.glob(f"{AUTHORIZER}-linux-*") if path.name != own)
    if not found:
        raise DistError(f"{directory} holds no {AUTHORIZER}-linux-*")
    return found


def stage(programs, carried, tree):
    """Lays out what the archive holds."""
    (tree / "completions").mkdir(parents=True)
    for program in [programs / "hlctl", programs / AUTHORIZER, *carried]:
        shutil.copyfile(program, tree / program.name)
        (tree / program.name).chmod(0o755)
    hlctl = tree / "hlctl"
    # The pages' date: that of the commit, unless it is given (reproducible-builds.org).
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or run("git", "log", "-1", "--format=%ct", cwd=REPOSITORY).strip()
    run(hlctl, "man", tree / "man" / "man1", env={"SOURCE_DATE_EPOCH": epoch})
    for shell, name in COMPLETIONS.items():
        (tree / "completions" / name).write_text(run(hlctl, "completions", shell, env={}))
    for document in DOCUMENTS:
        shutil.copyfile(REPOSITORY / document, tree / document)


def programs_of(tree):
    """The names of the programs in the archive's directory, sorted."""
    return sorted(path.name for path in tree.glob("hlctl*") if path.is_file())


def files_of(tree):
    """All files below a directory, sorted by name, so that an archive does not depend on the file system."""
    return sorted(path for path in tree.rglob("*") if path.is_file())


def write_tarball(tree, out):
    path, programs = out / f"{tree.name}.tar.gz", programs_of(tree)
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for file in files_of(tree):
            member = tarfile.TarInfo(f"{tree.name}/{file.relative_to(tree)}")
            member.size, member.mtime = file.stat().st_size, EPOCH
            member.mode = 0o755 if file.name in programs else 0o644
            with file.open("rb") as data:
                archive.addfile(member, data)
    path.write_bytes(gzip.compress(held.getvalue(), compresslevel=9, mtime=0))
    return path


def write_wheel(tree, package, here, out):
    """A wheel whose scripts are the programs (https://packaging.python.org/en/latest/specifications/binary-distribution-format/):
    the very bytes of the archive, which a second build by another tool would not be."""
    version, tag = package["version"], f"py3-none-{here.wheel}"
    path = out / f"hlctl-{version}-{tag}.whl"
    info = f"hlctl-{version}.dist-info"
    metadata = (
        f"Metadata-Version: 2.4\nName: hlctl\nVersion: {version}\nSummary: {package['description']}\n"
        f"License-Expression: {package['license']}\nLicense-File: LICENSE-APACHE\nLicense-File: LICENSE-MIT\n"
        f"Project-URL: Source, {package['repository']}\nRequires-Python: >=3.8\n"
        f"Description-Content-Type: text/markdown\n\n{(tree / 'README.md').read_text()}"
    )
    members = [(f"hlctl-{version}.data/scripts/{name}", (tree / name).read_bytes(), 0o755) for name in programs_of(tree)]
    members += [(f"{info}/licenses/{name}", (tree / name).read_bytes(), 0o644) for name in ("LICENSE-APACHE", "LICENSE-MIT")]
    members += [
        (f"{info}/METADATA", metadata.encode(), 0o644),
        (f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: hlctl\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(), 0o644),
    ]
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for name, data, _ in members
    )
    members.append((f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode(), 0o644))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data, mode in members:
            member = zipfile.ZipInfo(name)
            member.external_attr, member.compress_type = (0o100000 | mode) << 16, zipfile.ZIP_DEFLATED
            archive.writestr(member, data)
    return path


def write_debian_package(tree, package, here, out, scratch):
    version, root = package["version"], scratch / "debian"
    places = {program: f"usr/bin/{program}" for program in programs_of(tree)}
    places |= {
        "completions/hlctl.bash": "usr/share/bash-completion/completions/hlctl",
        "completions/_hlctl": "usr/share/zsh/vendor-completions/_hlctl",
        "completions/hlctl.fish": "usr/share/fish/vendor_completions.d/hlctl.fish",
    }
    places |= {document: f"usr/share/doc/hlctl/{document}" for document in DOCUMENTS}
    for source, place in places.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tree / source, root / place)
    pages = root / "usr/share/man/man1"
    pages.mkdir(parents=True)
    for page in (tree / "man" / "man1").iterdir():
        (pages / f"{page.name}.gz").write_bytes(gzip.compress(page.read_bytes(), compresslevel=9, mtime=0))
    size = sum(file.stat().st_size for file in files_of(root)) // 1024
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN" / "control").write_text(
        f"Package: hlctl\nVersion: {version}\nArchitecture: {here.debian}\nSection: admin\nPriority: optional\n"
        f"Installed-Size: {size}\nHomepage: {package['repository']}\n"
        f"Depends: libc6 (>= {'.'.join(map(str, GLIBC_FLOOR))}), libgcc-s1\nRecommends: ca-certificates\n"
        "Description: Provision and operate AWS HealthLake from one TOML file\n"
        " hlctl plans, applies and destroys a FHIR store and what belongs to it, and runs it.\n"
    )
    # The modes of the files, whatever the umask here.
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    root.chmod(0o755)
    path = out / f"hlctl_{version}_{here.debian}.deb"
    run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", root, path, env={**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH)})
    return path


def checksums_of_crates():
    """The checksum of each crate by name and version, from Cargo.lock; Python reads TOML only from 3.11 on."""
    packages = (REPOSITORY / "Cargo.lock").read_text().split("[[package]]")[1:]
    fields = (dict(re.findall(r'^(name|version|checksum) = "(.*)"$', text, re.MULTILINE)) for text in packages)
    return {(found["name"], found["version"]): found.get("checksum") for found in fields}


def write_sbom(metadata, hlctl, here, out):
    """CycloneDX 1.5: each crate that the programs are made from, macros included, with its checksum in Cargo.lock."""
    version, root, checksums = hlctl["version"], hlctl["id"], checksums_of_crates()
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}

    def needs(node):
        # A kind of null is a normal dependency; build scripts and tests are not shipped.
        return sorted(d["pkg"] for d in node["deps"] if any(kind["kind"] is None for kind in d["dep_kinds"]))

    seen, ahead = set(), [root]
    while ahead:
        one = ahead.pop()
        if one not in seen:
            seen.add(one)
            ahead += needs(nodes[one])

    def reference(package):
        return f"pkg:cargo/{package['name']}@{package['version']}"

    def component(package, kind="library"):
        described = {"type": kind, "bom-ref": reference(package), "name": package["name"], "version": package["version"]}
        # hlctl's own crates are in no registry.
        if package["source"]:
            described["purl"] = reference(package)
        if package.get("license"):
            described["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        if checksum := checksums.get((package["name"], package["version"])):
            described["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        return described

    ordered = sorted(seen, key=lambda one: reference(packages[one]))
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component(packages[root], "application")},
        "components": [component(packages[one]) for one in ordered if one != root],
        "dependencies": [
            {"ref": reference(packages[one]), "dependsOn": [reference(packages[other]) for other in needs(nodes[one])]}
            for one in ordered
        ],
    }
    if len(document["components"]) < 100:
        raise DistError(f"the SBOM names {len(document['components'])} crates only")
    path = out / f"hlctl-{version}-{here.triple}.cdx.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def write_checksums(made, out):
    """The checksums of all packages, in the form that sha256sum and shasum read."""
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(made))
    (out / "SHA256SUMS").write_text("".join(lines))


def try_release(version, here, out, clean):
    """Installs each package as a user would, in a directory that knows nothing of this repository, and runs it there."""
    check = ["sha256sum"] if here.is_linux else ["shasum", "--algorithm", "256"]
    run(*check, "--check", "SHA256SUMS", cwd=out)
    run("tar", "-xzf", out / f"hlctl-{version}-{here.triple}.tar.gz", "-C", clean)
    tree = clean / f"hlctl-{version}-{here.triple}"
    if ".TH hlctl-apply 1" not in (tree / "man/man1/hlctl-apply.1").read_text():
        raise DistError("man/man1/hlctl-apply.1 is no man page")
    run("bash", "-n", tree / "completions/hlctl.bash")
    try_program(tree / "hlctl", version, clean / "try-tarball")

    venv = clean / "venv"
    run(sys.executable, "-m", "venv", venv)
    wheel = next(out.glob("*.whl"))
    run(venv / "bin/python", "-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check", wheel)
    try_program(venv / "bin/hlctl", version, clean / "try-wheel")

    if here.debian:
        package = out / f"hlctl_{version}_{here.debian}.deb"
        run("dpkg-deb", "--info", package)
        installed = clean / "debian"
        run("dpkg-deb", "--extract", package, installed)
        for place in ("usr/share/man/man1/hlctl-apply.1.gz", "usr/share/bash-completion/completions/hlctl"):
            if not (installed / place).is_file():
                raise DistError(f"{package.name} lacks {place}")
        try_program(installed / "usr/bin/hlctl", version, clean / "try-debian")


def try_program(hlctl, version, directory):
    """The main job in the sandbox, with SMART, whose function is the authorizer next to hlctl; no variable is set, so that there is
    neither a PATH nor a home."""
    directory.mkdir()

    def step(*arguments):
        return run(hlctl, *arguments, cwd=directory, env={})

    if step("--version") != f"hlctl {version}\n":
        raise DistError(f"{hlctl} --version says another version than {version}")
    step("init")
    config = directory / "healthlake.toml"
    inputs = {
        "datastore_name": '"fhir-dist"',
        "data_bucket_name": '"fhir-dist-data"',
        "logs_bucket_name": '"fhir-dist-logs"',
        "cognito_domain": '"fhir-dist"',
        "smart_on_fhir": "true",
        "poll_interval": "0.2",
    }
    text = "\n".join(line for line in config.read_text().splitlines() if line.split("=")[0].strip() not in inputs)
    given = "".join(f"{key} = {value}\n" for key, value in inputs.items())
    config.write_text(f"{given}{text}\n")
    step("apply", "--sandbox", "--auto-approve")
    if "datastore_arn" not in json.loads(step("outputs", "--sandbox", "--json")):
        raise DistError(f"{hlctl} outputs --json lacks datastore_arn")
    step("plan", "--sandbox", "--detailed-exitcode")
    step("destroy", "--sandbox", "--auto-approve", "--allow-destroy", "fhir-dist")
    if step("state", "list", "--sandbox").strip():
        raise DistError(f"{hlctl} destroy left something in the state")
    print(f"tried {hlctl.relative_to(directory.parent)}")


if __name__ == "__main__":
    try:
        main()
    except DistError as error:
        sys.exit(f"dist: {error}")
