#!/bin/sh
# demo.sh HLCTL: the main job in the sandbox, in a directory that is removed afterwards.
set -eu
hlctl=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
unset AWS_ENDPOINT_URL AWS_PROFILE AWS_REGION HLCTL_CONFIG HLCTL_STATE HLCTL_REGION 2>/dev/null || true
export HLCTL_SANDBOX=1

run() {
    echo
    echo "\$ hlctl $*"
    "$hlctl" "$@"
}

run init
sed -e 's/^datastore_name *=.*/datastore_name = "fhir-demo"/' healthlake.toml > edited.toml
mv edited.toml healthlake.toml
run validate
run apply --auto-approve
run outputs --json
run plan --detailed-exitcode
run destroy --auto-approve --allow-destroy fhir-demo
run state list
echo
echo "Done: the sandbox is empty again."
