"""The bill of materials of the `tidegate` binary, as CycloneDX 1.5: what Cargo links into it, what only builds it, and the
npm packages in the console's pages. Everything is read from the lock files and from Cargo; nothing is fetched.

    python3 release/sbom.py --target x86_64-unknown-linux-gnu --commit HASH --epoch SECONDS > tidegate.cdx.json
"""

import argparse
import base64
import datetime
import json
import pathlib
import subprocess
import sys
import tomllib
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = "tidegate"


def cargo(*arguments):
    done = subprocess.run(["cargo", *arguments, "--locked", "--offline"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"cargo {' '.join(arguments)}: {done.stderr.strip()}\nThe crates have to be here: run `cargo fetch --locked` first.")
    return done.stdout


def tree(target, edges):
    """(name, version) of everything that Cargo reaches from the binary along these edges, with the features in force."""
    lines = cargo("tree", "-p", PACKAGE, "-e", edges, "--target", target, "--prefix", "none", "--format", "{p}").splitlines()
    return {(name, version.removeprefix("v")) for name, version, *_ in (line.split() for line in lines if line)}


def components(target):
    packages = json.loads(cargo("metadata", "--format-version", "1"))["packages"]
    packages = {(package["name"], package["version"]): package for package in packages}
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    checksums = {(package["name"], package["version"]): package.get("checksum") for package in lock}
    linked = tree(target, "normal,no-proc-macro")
    for key in sorted(tree(target, "normal,build")):
        yield cargo_component(packages[key], checksums[key], key in linked)
    lock = json.loads((ROOT / "console/package-lock.json").read_text())["packages"]
    for path, package in sorted(lock.items()):
        # Types go with their compiler: nothing of them is in a page.
        if path and not package.get("dev") and "node_modules/@types/" not in path and path != "node_modules/csstype":
            yield npm_component(path.rpartition("node_modules/")[2], package)


def cargo_component(package, checksum, is_linked):
    name, version = package["name"], package["version"]
    one = {
        "type": "library",
        "bom-ref": f"pkg:cargo/{name}@{version}",
        "purl": f"pkg:cargo/{name}@{version}",
        "name": name,
        "version": version,
        "scope": "required" if is_linked else "excluded",
        # What crates.io still has of the time before SPDX expressions: a slash is an OR.
        "licenses": [{"expression": package["license"].replace("/", " OR ")}],
    }
    if checksum:
        one["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    elif package["source"] is None:
        one["group"] = "tidegate"
    else:
        sys.exit(f"{name} {version} is of {package['source']} and has no checksum in Cargo.lock")
    return one


def npm_component(name, package):
    algorithm, _, digest = package["integrity"].partition("-")
    if algorithm != "sha512":
        sys.exit(f"{name}: the lock file has a {algorithm} of it, expected a sha512")
    purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
    return {
        "type": "library",
        "bom-ref": purl,
        "purl": purl,
        "name": name,
        "version": package["version"],
        "scope": "required",
        "licenses": [{"expression": package["license"]}],
        "hashes": [{"alg": "SHA-512", "content": base64.b64decode(digest).hex()}],
    }


def document(target, commit, epoch):
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    time = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        # Of what it describes, so that the same commit gives the same bytes.
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, f"tidegate:{commit}:{target}").urn,
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": f"pkg:generic/tidegate@{version}",
                "name": "tidegate",
                "version": version,
                "licenses": [{"expression": "Apache-2.0"}],
                "properties": [
                    {"name": "tidegate:commit", "value": commit},
                    {"name": "tidegate:target", "value": target},
                ],
            },
        },
        "components": list(components(target)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", required=True, help="as rustc names it")
    parser.add_argument("--commit", required=True, help="what is built")
    parser.add_argument("--epoch", required=True, type=int, help="its time, in seconds since 1970")
    given = parser.parse_args()
    json.dump(document(given.target, given.commit, given.epoch), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
