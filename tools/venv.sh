#!/bin/sh
# venv.sh PYTHON DIR REQUIREMENTS: a virtual environment with the requirements, also where Debian's python3-venv is missing.
set -eu
python=$1 dir=$2 requirements=$3
rm -rf "$dir"
if ! "$python" -m venv "$dir" 2>/dev/null; then
    rm -rf "$dir"
    if "$python" -m pip --version >/dev/null 2>&1; then
        bootstrap=$(mktemp -d)
        "$python" -m pip install --quiet --target "$bootstrap" virtualenv
        PYTHONPATH=$bootstrap "$python" -m virtualenv --quiet "$dir"
        rm -rf "$bootstrap"
    else
        echo "python3 has neither venv nor pip here. On Debian and Ubuntu: apt-get install python3-venv" >&2
        exit 1
    fi
fi
"$dir/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
