#!/usr/bin/env bash
# localstack-core 2026.3.0 (PyPI) does conditional writes of S3 and refuses conditional deletions with 501 NotImplemented.
#
# Amazon S3 has both (S3 user guide, "How to perform conditional deletes"). So a lock that is made by `If-None-Match: *` cannot be given back by
# `If-Match` there. Seen: 200 412 412 501.
#
# The package leaves its dependencies open and does not start with today's: it needs Python 3.12 or newer although it says 3.10, cbor2 before 6
# (`cbor2._decoder`), cryptography before 47 and pyOpenSSL before 25.4 (`X509.add_extensions`), and service_identity, which it does not name. What is
# seen without these is "No component plugins found in namespace localstack.runtime.components".
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
python=$(for name in "${PYTHON:-python3}" python3.13 python3.12; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then echo "$name"; break; fi
done)
"${python:?Python 3.12 or newer; PYTHON names it}" -m venv venv
venv/bin/pip install --quiet 'localstack-core[runtime]==2026.3.0' 'cbor2==5.9.0' 'cryptography==46.0.7' 'pyOpenSSL==25.3.0' service_identity
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
GATEWAY_LISTEN="127.0.0.1:$port" SERVICES=s3 DISABLE_EVENTS=1 SKIP_SSL_CERT_DOWNLOAD=1 \
    venv/bin/python -m localstack.runtime.main >log 2>&1 & server=$!
until grep -q '^Ready' log; do
    kill -0 "$server" || { cat log >&2; exit 1; }
    sleep 1
done
ask() {
    curl --silent --output /dev/null --write-out '%{http_code}\n' --aws-sigv4 aws:amz:us-east-1:s3 --user test:test --header 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
        "${@:2}" "http://127.0.0.1:$port/states$1"
}
ask '' --request PUT >/dev/null
seen=$(
    ask /lock --request PUT --data-binary one --header 'If-None-Match: *'
    ask /lock --request PUT --data-binary two --header 'If-None-Match: *'
    ask /lock --request PUT --data-binary three --header 'If-Match: "00000000000000000000000000000000"'
    ask /lock --request DELETE --header 'If-Match: "00000000000000000000000000000000"'
)
expected='200
412
412
501'
echo "$seen"
[ "$seen" = "$expected" ] || { echo 'this is not what was seen before' >&2; exit 1; }
