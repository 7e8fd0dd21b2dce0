#!/usr/bin/env bash
# s3rver 3.7.1 (npm) answers conditional requests with success and does not look at their conditions.
#
# Amazon S3 refuses a PutObject with `If-None-Match: *` where there is an object, and one with an `If-Match` that does not hold, with
# 412 (S3 user guide, "How to prevent object overwrites with conditional writes"); DeleteObject with `If-Match` alike. A lock that rests
# on them holds nobody off on s3rver, and nothing in an answer tells. Seen: 200 200 200 204, and the object is gone.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund s3rver@3.7.1
cat >serve.js <<'JS'
const S3rver = require('s3rver');
const server = new S3rver({ port: 0, address: '127.0.0.1', silent: true, directory: 'data', configureBuckets: [{ name: 'states' }] });
server.run().then(({ port }) => console.log(port));
JS
mkdir data
node serve.js >port & server=$!
until [ -s port ]; do sleep 0.2; done
ask() {
    curl --silent --output /dev/null --write-out '%{http_code}\n' --aws-sigv4 aws:amz:us-east-1:s3 --user S3RVER:S3RVER --header 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
        "$@" "http://127.0.0.1:$(cat port)/states/lock"
}
seen=$(
    ask --request PUT --data-binary one --header 'If-None-Match: *'
    ask --request PUT --data-binary two --header 'If-None-Match: *'
    ask --request PUT --data-binary three --header 'If-Match: "00000000000000000000000000000000"'
    ask --request DELETE --header 'If-Match: "00000000000000000000000000000000"'
    ask --request GET
)
expected='200
200
200
204
404'
echo "$seen"
[ "$seen" = "$expected" ] || { echo 'this is not what was seen before' >&2; exit 1; }
