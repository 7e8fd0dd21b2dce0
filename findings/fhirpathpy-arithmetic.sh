#!/bin/sh
# fhirpathpy 2.2.4 (PyPI) calculates otherwise than fhirpath 5.2.2 (npm). Its numbers are Python's, not FHIRPath's: a half is
# rounded to the even neighbour, and the remainder has the divisor's sign. Quantities are not converted, which the specification
# does not demand: equal lengths in two units differ, and two masses cannot be compared. Rules about data that one program
# checks with the one library and the next with the other give two answers for the same resource.
#
# Seen (fhirpathpy | fhirpath.js), with what FHIRPath 2.0.0 says:
#   2.5.round(0)            2      | 3      "traditional round": 0.5 and more is rounded up (section 5.7, round)
#   -7 mod 2                1      | -1     the remainder of the truncated division (section 6.6, mod)
#   10 'cm' = 0.1 'm'       False  | true   units of one dimension may be converted (section 6.1, =)
#   1 'mg' < 2 'g'          raises | true   the same (section 6.2)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check fhirpathpy==2.2.4
npm install --silent --no-audit --no-fund fhirpath@5.2.2
cat >expressions.json <<'JSON'
["2.5.round(0)", "-7 mod 2", "10 'cm' = 0.1 'm'", "1 'mg' < 2 'g'"]
JSON
cat >evaluate.py <<'PYTHON'
import json

from fhirpathpy import evaluate

answers = []
for expression in json.load(open("expressions.json")):
    try:
        answers.append([value if isinstance(value, bool) else float(value) for value in evaluate({}, expression, [])])
    except TypeError:
        answers.append("raises")
print(json.dumps(answers))
assert answers == [[2], [1], [False], "raises"], answers
PYTHON
cat >evaluate.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import fs from 'node:fs';
import fhirpath from 'fhirpath';

const expressions = JSON.parse(fs.readFileSync('expressions.json'));
const answers = expressions.map((expression) => fhirpath.evaluate({}, expression));
console.log(JSON.stringify(answers));
assert.deepEqual(answers, [[3], [-1], [true], [true]]);
JAVASCRIPT
venv/bin/python evaluate.py
node evaluate.mjs
