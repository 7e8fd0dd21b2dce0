"""Drives the emulator's Lambda and CloudWatch Logs with boto3, and real functions in Python, Node and sh.

    python boto3_lambda.py PATH_TO_hlctl-emulator

Prints every failure and at the end `N passed, N failed`; exits 1 if any failed. Without Node on the path, the
Node function's check is that the error says so.
"""

import base64
import concurrent.futures
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request
import zipfile

from botocore.exceptions import ClientError

from boto3_client import ACCOUNT, trust
from boto3_support import Server, refused

CHECKS = []
ROLE = f"arn:aws:iam::{ACCOUNT}:role/fn"


def check(function):
    CHECKS.append(function)
    return function


def package(**files):
    """A zip; double underscores in names stand for dots."""
    return zipped({name.replace("__", "."): text for name, text in files.items()})


def zipped(files, mode=0o755):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = mode << 16
            archive.writestr(info, text)
    return data.getvalue()


def clients(server, **named):
    lam = server.client("lambda", **named)
    iam = server.client("iam", **named)
    try:
        iam.create_role(RoleName="fn", AssumeRolePolicyDocument=trust_lambda())
    except iam.exceptions.EntityAlreadyExistsException:
        pass
    return lam, server.client("logs", **named)


def trust_lambda():
    document = json.loads(trust("lambda.amazonaws.com"))
    del document["Statement"][0]["Condition"]
    return json.dumps(document)


def create(lam, name, code, runtime="python3.12", handler="app.handler", **more):
    made = lam.create_function(
        FunctionName=name, Runtime=runtime, Role=ROLE, Handler=handler, Code={"ZipFile": code}, **more
    )
    assert made["State"] == "Pending" and made["StateReasonCode"] == "Creating", made
    lam.get_waiter("function_exists").wait(FunctionName=name)
    lam.get_waiter("function_active_v2").wait(FunctionName=name)
    return made


def call(lam, name, event=None, **more):
    """What a function answers; its error, if it fails; and the end of its log."""
    got = lam.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail", **more)
    log = base64.b64decode(got["LogResult"]).decode()
    return json.loads(got["Payload"].read()), got.get("FunctionError"), log


PYTHON = """
import json, os, sys, time
def handler(event, context):
    do = event.get("do")
    if do == "echo":
        print("printed é")
        return {"event": event, "id": context.aws_request_id, "arn": context.invoked_function_arn,
                "left": context.get_remaining_time_in_millis(), "pid": os.getpid()}
    if do == "environ":
        return {"environ": dict(os.environ), "cwd": os.getcwd(), "path": sys.path}
    if do == "raise":
        raise ValueError("no such thing")
    if do == "exit":
        os._exit(event["code"])
    if do == "sleep":
        time.sleep(event["seconds"])
        return os.getpid()
    if do == "big":
        return "x" * event["length"]
    if do == "unserialisable":
        return object()
    if do == "hold":
        held = bytearray(event["megabytes"] << 20)
        for at in range(0, len(held), 4096):
            held[at] = 1
        time.sleep(5)
        return len(held)
    if do == "flood":
        for number in range(event["lines"]):
            print(number, "y" * 1000)
        return "done"
    if do == "write for ever":
        while True:
            os.write(1, b"z" * 100000)
    if do == "child":
        import subprocess
        return subprocess.Popen(["sleep", "600"]).pid
"""


@check
def a_python_function_runs_and_is_kept_warm(server):
    lam, logs = clients(server)
    create(lam, "py", package(app__py=PYTHON), Timeout=5, Environment={"Variables": {"NAME": "värde"}})
    event = {"do": "echo", "text": "ünïcødé 🩺 \\ \" \u2028", "n": [1, 2.5, None]}
    answer, error, log = call(lam, "py", event)
    assert error is None and answer["event"] == event, (error, answer)
    assert answer["arn"] == f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:py", answer
    assert 3000 < answer["left"] <= 5000, answer
    lines = log.splitlines()
    assert lines[0] == f"START RequestId: {answer['id']} Version: $LATEST", lines
    assert lines[1] == "printed é" and lines[2] == f"END RequestId: {answer['id']}", lines
    assert lines[3].startswith(f"REPORT RequestId: {answer['id']}\tDuration: ") and "Init Duration" in lines[3], lines
    again, _, log = call(lam, "py", event)
    assert again["pid"] == answer["pid"] and "Init Duration" not in log, log
    streams = logs.describe_log_streams(logGroupName="/aws/lambda/py")["logStreams"]
    assert len(streams) == 1 and "[$LATEST]" in streams[0]["logStreamName"], streams
    events = logs.get_log_events(
        logGroupName="/aws/lambda/py", logStreamName=streams[0]["logStreamName"], startFromHead=True
    )["events"]
    assert [event["message"] for event in events].count("printed é") == 2, events
    found = logs.filter_log_events(logGroupName="/aws/lambda/py", filterPattern="REPORT")["events"]
    assert len(found) == 2, found


@check
def a_function_sees_what_lambda_gives_and_no_more(server):
    lam, _ = clients(server)
    jwks = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Abc/.well-known/jwks.json"
    variables = {"JWKS_URI": jwks, "ISSUER": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Abc"}
    create(lam, "env", package(app__py=PYTHON), MemorySize=256, Environment={"Variables": variables})
    answer, _, _ = call(lam, "env", {"do": "environ"})
    seen = answer["environ"]
    assert seen["_HANDLER"] == "app.handler" and seen["LAMBDA_TASK_ROOT"] == answer["cwd"] == answer["path"][0], answer
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256" and seen["AWS_REGION"] == "us-east-1", seen
    assert seen["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/env", seen
    assert seen["ISSUER"] == variables["ISSUER"], seen
    assert seen["JWKS_URI"] == jwks.replace("https://cognito-idp.us-east-1.amazonaws.com", seen["AWS_ENDPOINT_URL"]), seen
    assert seen["AWS_ENDPOINT_URL"] == "http://" + seen["AWS_LAMBDA_RUNTIME_API"], seen
    for name in ("HOME", "USER", "PYTHONPATH", "VIRTUAL_ENV", "PWD"):
        assert name not in seen, name


AWS_CALL = """
import os, urllib.request
def handler(event, context):
    def get(path):
        with urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + path, timeout=5) as answer:
            return answer.read().decode()
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=%s/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0"
        % os.environ["AWS_ACCESS_KEY_ID"],
        "X-Amz-Security-Token": os.environ["AWS_SESSION_TOKEN"],
        "Content-Type": "application/x-www-form-urlencoded",
    }
    request = urllib.request.Request(
        os.environ["AWS_ENDPOINT_URL"], b"Action=GetCallerIdentity&Version=2011-06-15", headers
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return {"health": get("/_emulator/health"), "identity": answer.read().decode()}
"""


@check
def a_function_reaches_the_emulator_as_its_role(server):
    lam, _ = clients(server)
    create(lam, "caller", package(app__py=AWS_CALL), Timeout=10)
    answer, error, log = call(lam, "caller", {})
    assert error is None, log
    assert "ok" in answer["health"], answer
    assert f"arn:aws:sts::{ACCOUNT}:assumed-role/fn/caller" in answer["identity"], answer


@check
def an_exception_is_the_functions_error_and_leaves_it_warm(server):
    lam, _ = clients(server)
    create(lam, "errors", package(app__py=PYTHON), Timeout=5)
    pid = call(lam, "errors", {"do": "echo"})[0]["pid"]
    answer, error, log = call(lam, "errors", {"do": "raise"})
    assert error == "Unhandled", error
    assert answer["errorType"] == "ValueError" and answer["errorMessage"] == "no such thing", answer
    assert any("app.py" in line for line in answer["stackTrace"]), answer
    assert "[ERROR] ValueError: no such thing" in log, log
    answer, _, _ = call(lam, "errors", {"do": "unserialisable"})
    assert answer["errorType"] == "Runtime.MarshalError", answer
    assert call(lam, "errors", {"do": "echo"})[0]["pid"] == pid


@check
def a_process_that_exits_is_an_error_and_the_next_is_new(server):
    lam, _ = clients(server)
    create(lam, "exits", package(app__py=PYTHON), Timeout=5)
    for code, said in ((3, "Runtime exited with error: exit status 3"), (0, "Runtime exited without providing a reason")):
        answer, error, log = call(lam, "exits", {"do": "exit", "code": code})
        assert error == "Unhandled" and answer["errorType"] == "Runtime.ExitError", answer
        assert answer["errorMessage"].endswith(f"Error: {said}"), answer
        assert "Status: error\tError Type: Runtime.ExitError" in log, log
    assert call(lam, "exits", {"do": "echo"})[1] is None


@check
def a_function_that_takes_too_long_is_cut_off(server):
    lam, _ = clients(server)
    create(lam, "slow", package(app__py=PYTHON), Timeout=1)
    began = time.monotonic()
    answer, error, log = call(lam, "slow", {"do": "sleep", "seconds": 60})
    assert time.monotonic() - began < 4
    assert error == "Unhandled" and answer["errorMessage"].endswith("Task timed out after 1.00 seconds"), answer
    assert "Task timed out after 1.00 seconds" in log and "Status: timeout" in log, log
    assert call(lam, "slow", {"do": "echo"})[1] is None
    answer, error, log = call(lam, "slow", {"do": "write for ever"})
    assert error == "Unhandled" and answer["errorMessage"].endswith("Task timed out after 1.00 seconds"), answer


@check
def a_function_that_holds_too_much_is_ended(server):
    if not sys.platform.startswith("linux"):
        return
    lam, _ = clients(server)
    create(lam, "greedy", package(app__py=PYTHON), MemorySize=128, Timeout=20)
    answer, error, log = call(lam, "greedy", {"do": "hold", "megabytes": 300})
    assert error == "Unhandled" and answer["errorMessage"].endswith("signal: killed"), answer
    assert "Max Memory Used: 128 MB" in log, log
    answer, error, log = call(lam, "greedy", {"do": "echo"})
    assert error is None and "Max Memory Used: 0 MB" not in log, log


@check
def what_fails_at_import_fails_the_invocation(server):
    lam, _ = clients(server)
    for name, files, handler, kind in (
        ("raises", {"app.py": "raise RuntimeError('at import')"}, "app.handler", "RuntimeError"),
        ("missing", {"app.py": "import not_there"}, "app.handler", "Runtime.ImportModuleError"),
        ("nomodule", {"other.py": ""}, "app.handler", "Runtime.ImportModuleError"),
        ("nohandler", {"app.py": ""}, "app.handler", "Runtime.HandlerNotFound"),
        ("noname", {"app.py": ""}, "app", "Runtime.MalformedHandlerName"),
        ("syntax", {"app.py": "def handler("}, "app.handler", "Runtime.UserCodeSyntaxError"),
        ("exits-early", {"app.py": "import os; print('bye'); os._exit(7)"}, "app.handler", "Runtime.ExitError"),
    ):
        create(lam, name, zipped(files), handler=handler)
        answer, error, log = call(lam, name, {})
        assert error == "Unhandled" and answer["errorType"] == kind, (name, answer)
        assert "INIT_REPORT" in log, log
    assert "bye" in log and "exit status 7" in log, log


@check
def an_initialisation_has_ten_seconds(server):
    lam, _ = clients(server)
    create(lam, "stuck", zipped({"app.py": "import time; print('here'); time.sleep(60)"}), Timeout=60)
    began = time.monotonic()
    answer, error, log = call(server.client("lambda", read_timeout=30), "stuck", {})
    assert 9.5 < time.monotonic() - began < 13, time.monotonic() - began
    assert error == "Unhandled" and answer["errorMessage"].endswith("Task timed out after 10.00 seconds"), answer
    assert "here" in log and "Status: timeout" in log, log


@check
def answers_and_events_have_limits(server):
    lam, logs = clients(server)
    create(lam, "big", package(app__py=PYTHON), Timeout=20, MemorySize=512)
    answer, error, _ = call(lam, "big", {"do": "big", "length": 6_000_000})
    assert error is None and len(answer) == 6_000_000
    answer, error, _ = call(lam, "big", {"do": "big", "length": 6_300_000})
    assert error == "Unhandled" and answer["errorType"] == "Function.ResponseSizeTooLarge", answer
    refused("RequestTooLargeException", lam.invoke, FunctionName="big", Payload=b'"%s"' % (b"x" * 6_291_456))
    refused("RequestTooLargeException", lam.invoke, FunctionName="big", InvocationType="Event", Payload=b'"%s"' % (b"x" * 1_048_576))
    refused("InvalidRequestContentException", lam.invoke, FunctionName="big", Payload=b"{nonsense")
    answer, error, log = call(lam, "big", {"do": "flood", "lines": 3000})
    assert answer == "done" and len(log.encode()) <= 4096, len(log)
    events = logs.filter_log_events(logGroupName="/aws/lambda/big", filterPattern='"keeps no more than"')["events"]
    assert len(events) == 1, events


@check
def busy_environments_are_joined_by_more_and_reserved_concurrency_holds(server):
    lam, _ = clients(server, max_pool_connections=20)
    create(lam, "many", package(app__py=PYTHON), Timeout=20)
    sleep = {"do": "sleep", "seconds": 1}
    with concurrent.futures.ThreadPoolExecutor(12) as threads:
        pids = list(threads.map(lambda _: call(lam, "many", sleep)[0], range(3)))
        assert len(set(pids)) == 3, pids
        lam.put_function_concurrency(FunctionName="many", ReservedConcurrentExecutions=2)

        def attempt(_):
            try:
                return call(lam, "many", sleep)[0]
            except ClientError as error:
                return error.response["Error"]["Code"]

        outcomes = list(threads.map(attempt, range(4)))
        assert outcomes.count("TooManyRequestsException") == 2, outcomes
        lam.put_function_concurrency(FunctionName="many", ReservedConcurrentExecutions=0)
        refused("TooManyRequestsException", lam.invoke, FunctionName="many")
        lam.delete_function_concurrency(FunctionName="many")
        # More than there may be environments: the rest waits.
        pids = list(threads.map(lambda _: call(lam, "many", {"do": "sleep", "seconds": 0.2})[0], range(12)))
        assert len(set(pids)) <= 10 and all(isinstance(pid, int) for pid in pids), pids


@check
def an_event_is_served_without_waiting_and_a_dry_run_not_at_all(server):
    lam, logs = clients(server)
    create(lam, "later", package(app__py=PYTHON), Timeout=5)
    got = lam.invoke(FunctionName="later", InvocationType="DryRun", Payload=b"{}")
    assert got["StatusCode"] == 204, got
    got = lam.invoke(FunctionName="later", InvocationType="Event", Payload=b'{"do": "echo"}')
    assert got["StatusCode"] == 202 and got["Payload"].read() == b"", got
    until(lambda: lines_of(logs, "/aws/lambda/later", "printed"))
    assert len(lines_of(logs, "/aws/lambda/later", "START")) == 1


def lines_of(logs, group, pattern):
    try:
        return logs.filter_log_events(logGroupName=group, filterPattern=pattern)["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []


def until(happened, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = happened()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


NODE = """
exports.handler = async (event, context) => {
  console.log("logged", event);
  if (event.do === "throw") throw new TypeError("wrong kind");
  if (event.do === "reject") { Promise.reject(new Error("nobody waits")); await new Promise((r) => setTimeout(r, 1000)); }
  return { event, left: context.getRemainingTimeInMillis(), arn: context.invokedFunctionArn };
};
exports.callback = (event, context, callback) => setTimeout(() => callback(null, "called back"), 10);
"""


@check
def a_node_function_runs_or_says_what_is_missing(server):
    lam, _ = clients(server)
    create(lam, "js", package(index__js=NODE), "nodejs22.x", "index.handler", Timeout=10, MemorySize=512)
    if shutil.which("node") is None:
        error = refused("InvalidRuntimeException", lam.invoke, FunctionName="js")
        assert "running nodejs22.x needs node on the path" in str(error), error
        return
    answer, error, log = call(lam, "js", {"text": "ünïcødé 🩺"})
    assert error is None and answer["event"] == {"text": "ünïcødé 🩺"}, answer
    assert "\tINFO\tlogged" in log, log
    answer, error, _ = call(lam, "js", {"do": "throw"})
    assert error == "Unhandled" and answer["errorType"] == "TypeError" and answer["errorMessage"] == "wrong kind", answer
    answer, error, _ = call(lam, "js", {"do": "reject"})
    assert error == "Unhandled" and answer["errorType"] == "Runtime.UnhandledPromiseRejection", answer
    create(lam, "js-callback", package(index__js=NODE), "nodejs22.x", "index.callback", Timeout=10, MemorySize=512)
    assert call(lam, "js-callback", {})[0] == "called back"
    module = "export const handler = async () => 'from a module'; "
    create(lam, "js-module", package(index__mjs=module), "nodejs22.x", "index.handler", Timeout=10, MemorySize=512)
    assert call(lam, "js-module", {})[0] == "from a module"
    create(lam, "js-none", package(index__mjs=module), "nodejs22.x", "index.other", MemorySize=512)
    assert call(lam, "js-none", {})[0]["errorType"] == "Runtime.HandlerNotFound"


BOOTSTRAP = """#!/bin/sh
set -eu
echo "starting $_HANDLER" >&2
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
while true; do
    curl -sS -D headers.$$ -o event.$$ "$api/invocation/next"
    id=$(tr -d '\\r' < headers.$$ | sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: //p')
    echo "working on $id"
    if grep -q fail event.$$; then
        curl -sS -d '{"errorType": "Chosen", "errorMessage": "by the script"}' "$api/invocation/$id/error" > /dev/null
    else
        curl -sS --data-binary @event.$$ "$api/invocation/$id/response" > /dev/null
    fi
done
"""


@check
def an_interpreter_that_is_missing_is_named(_server):
    path = os.environ["PATH"]
    with tempfile.TemporaryDirectory() as empty:
        os.environ["PATH"] = empty
        try:
            server = Server()
        finally:
            os.environ["PATH"] = path
    with server:
        lam, _ = clients(server)
        for name, runtime, wanted in (("py", "python3.12", "python3"), ("js", "nodejs22.x", "node")):
            create(lam, name, package(app__py=PYTHON), runtime)
            error = refused("InvalidRuntimeException", lam.invoke, FunctionName=name)
            assert f"running {runtime} needs {wanted} on the path" in str(error), error


@check
def a_bootstrap_of_ones_own_runs(server):
    assert shutil.which("curl"), "this check needs curl"
    lam, _ = clients(server)
    create(lam, "own", package(bootstrap=BOOTSTRAP), "provided.al2023", "anything", Timeout=10)
    answer, error, log = call(lam, "own", {"some": "thing é"})
    assert error is None and answer == {"some": "thing é"}, (answer, log)
    assert "starting anything" in log and "working on " in log, log
    answer, error, _ = call(lam, "own", {"please": "fail"})
    assert error == "Unhandled" and answer == {"errorType": "Chosen", "errorMessage": "by the script"}, answer


@check
def a_bootstrap_that_cannot_start_is_the_functions_error(server):
    lam, _ = clients(server)
    for name, code, said in (
        ("no-bootstrap", package(main="x"), "Couldn't find valid bootstrap(s)"),
        ("no-mode", zipped({"bootstrap": "#!/bin/sh\n"}, 0o644), "permission denied"),
        ("no-program", package(bootstrap="#!/no/such/interpreter\n"), "no such file or directory"),
        ("no-format", package(bootstrap="\x7fELF nonsense"), "exec format error"),
    ):
        create(lam, name, code, "provided.al2023", "x")
        answer, error, _ = call(lam, name, {})
        assert error == "Unhandled" and answer["errorType"] == "Runtime.InvalidEntrypoint", answer
        assert said in answer["errorMessage"], (name, answer)
    create(lam, "other-machine", package(bootstrap="\x7fELF nonsense"), "provided.al2023", "x", Architectures=["arm64"])
    if os.uname().machine not in ("aarch64", "arm64"):
        error = refused("InvalidRuntimeException", lam.invoke, FunctionName="other-machine")
        assert "a program for linux on aarch64" in str(error), error
    create(lam, "java", package(main="x"), "java21", "x")
    error = refused("InvalidRuntimeException", lam.invoke, FunctionName="java")
    assert "not of java21" in str(error), error


@check
def the_configuration_reads_back_as_it_was_set(server):
    lam, logs = clients(server)
    key = server.client("kms").create_key()["KeyMetadata"]["Arn"]
    code = package(app__py="handler = print")
    create(
        lam, "full", code, Description="d", Timeout=900, MemorySize=10240, Architectures=["arm64"], KMSKeyArn=key,
        Environment={"Variables": {"AB": "c"}}, Tags={"team": "health"}, EphemeralStorage={"Size": 1024},
        TracingConfig={"Mode": "Active"}, SnapStart={"ApplyOn": "PublishedVersions"},
        LoggingConfig={"LogFormat": "JSON", "LogGroup": "/own/group", "ApplicationLogLevel": "DEBUG"},
    )
    got = lam.get_function(FunctionName="full")
    shown = got["Configuration"]
    for name, value in {
        "FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:full",
        "Runtime": "python3.12", "Handler": "app.handler", "Role": ROLE, "Description": "d", "Timeout": 900,
        "MemorySize": 10240, "Architectures": ["arm64"], "KMSKeyArn": key, "Environment": {"Variables": {"AB": "c"}},
        "EphemeralStorage": {"Size": 1024}, "TracingConfig": {"Mode": "Active"}, "Version": "$LATEST",
        "SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}, "PackageType": "Zip",
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/own/group", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "INFO"},
        "State": "Active", "LastUpdateStatus": "Successful", "CodeSize": len(code),
        "CodeSha256": base64.b64encode(hashlib.sha256(code).digest()).decode(),
    }.items():
        assert shown[name] == value, (name, shown[name])
    assert shown["LastModified"].endswith("+0000") and len(shown["LastModified"]) == 28, shown
    assert got["Tags"] == {"team": "health"} and got["Code"]["RepositoryType"] == "S3", got
    with urllib.request.urlopen(got["Code"]["Location"], timeout=5) as answer:
        assert answer.read() == code
    same = lam.get_function_configuration(FunctionName=shown["FunctionArn"])
    assert same["RevisionId"] == shown["RevisionId"]
    call(lam, "full", {})
    assert logs.describe_log_streams(logGroupName="/own/group")["logStreams"]
    small = create(lam, "plain", code)
    assert small["MemorySize"] == 128 and small["Timeout"] == 3 and "Environment" not in small, small
    assert small["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/plain"}, small


@check
def a_function_that_cannot_be_is_refused(server):
    lam, _ = clients(server, parameter_validation=False)
    code = package(app__py="handler = print")

    def wrong(error, **named):
        arguments = {
            "FunctionName": "wrong", "Runtime": "python3.12", "Role": ROLE, "Handler": "app.handler",
            "Code": {"ZipFile": code}, **named,
        }
        # The service is to judge, not the client.
        return str(refused(error, lam.create_function, **{k: v for k, v in arguments.items() if v is not None}))

    invalid = "InvalidParameterValueException"
    assert "cannot be assumed by Lambda" in wrong(invalid, Role=f"arn:aws:iam::{ACCOUNT}:role/none")
    server.client("iam").create_role(RoleName="for-others", AssumeRolePolicyDocument=trust())
    assert "cannot be assumed by Lambda" in wrong(invalid, Role=f"arn:aws:iam::{ACCOUNT}:role/for-others")
    assert "Cross-account" in wrong("AccessDeniedException", Role="arn:aws:iam::999999999999:role/fn")
    assert "mandatory parameters" in wrong(invalid, Runtime=None)
    assert "enum value set" in wrong(invalid, Runtime="python3.99")
    assert "no longer supported" in wrong(invalid, Runtime="python2.7")
    for memory in (127, 10241):
        wrong("ValidationException", MemorySize=memory)
    for timeout in (0, 5401):
        wrong("ValidationException", Timeout=timeout)
    # The model takes more than the documented 900 seconds by now; the service need not.
    assert "900 seconds" in wrong(invalid, Timeout=901)
    assert "reserved keys" in wrong(invalid, Environment={"Variables": {"AWS_REGION": "x"}})
    assert "4KB" in wrong(invalid, Environment={"Variables": {"LONG": "x" * 5000}})
    wrong("ValidationException", Environment={"Variables": {"not-a-name": "x"}})
    assert "Could not unzip" in wrong(invalid, Code={"ZipFile": b"nonsense"})
    assert "Could not unzip" in wrong(invalid, Code={"ZipFile": code[:-10]})
    assert "262144000" in wrong(invalid, Code={"ZipFile": zipped({"zeros": b"\0" * 262_144_000})})
    assert "does not model" in wrong(invalid, Code={"S3Bucket": "bucket", "S3Key": "key"})
    assert "does not model" in wrong(invalid, VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]})
    assert "KMS key" in wrong(invalid, KMSKeyArn=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/none")
    wrong("ValidationException", FunctionName="x" * 65)
    create(lam, "twice", code)
    assert "already exist" in wrong("ResourceConflictException", FunctionName="twice")
    refused("ResourceNotFoundException", lam.get_function, FunctionName="wrong")
    refused("ResourceNotFoundException", lam.invoke, FunctionName="wrong")
    message = str(refused("ValidationException", lam.create_function, FunctionName="a b", Role="r", Code={"ZipFile": code}, MemorySize=1))
    assert "3 validation errors detected" in message, message


@check
def updates_take_effect_at_once_and_revisions_guard_them(server):
    lam, _ = clients(server)
    first = create(lam, "changes", package(app__py="def handler(e, c): return 'one'"), Environment={"Variables": {"AB": "c"}})
    assert call(lam, "changes")[0] == "one"
    second = package(app__py="import os\ndef handler(e, c): return 'two ' + os.environ.get('AB', '')")
    updated = lam.update_function_code(FunctionName="changes", ZipFile=second, RevisionId=first["RevisionId"])
    assert updated["LastUpdateStatus"] == "InProgress" and updated["CodeSha256"] != first["CodeSha256"], updated
    lam.get_waiter("function_updated_v2").wait(FunctionName="changes")
    assert call(lam, "changes")[0] == "two c"
    refused("PreconditionFailedException", lam.update_function_code, FunctionName="changes", ZipFile=second, RevisionId=first["RevisionId"])
    lam.update_function_configuration(FunctionName="changes", Environment={"Variables": {"AB": "d"}}, Timeout=7)
    lam.get_waiter("function_updated_v2").wait(FunctionName="changes")
    assert call(lam, "changes")[0] == "two d"
    shown = lam.get_function_configuration(FunctionName="changes")
    assert shown["Timeout"] == 7 and shown["Handler"] == "app.handler" and shown["MemorySize"] == 128, shown
    tried = lam.update_function_code(FunctionName="changes", ZipFile=package(app__py="x = 1"), DryRun=True)
    assert tried["CodeSha256"] != shown["CodeSha256"]
    assert lam.get_function_configuration(FunctionName="changes")["CodeSha256"] == shown["CodeSha256"]
    lam.update_function_configuration(FunctionName="changes", Environment={"Variables": {}})
    assert "Environment" not in lam.get_function_configuration(FunctionName="changes")
    lam.delete_function(FunctionName="changes")
    refused("ResourceNotFoundException", lam.delete_function, FunctionName="changes")
    refused("ResourceNotFoundException", lam.invoke, FunctionName="changes")


@check
def versions_and_aliases_point_to_code_that_stays(server):
    lam, _ = clients(server)
    body = "import os\ndef handler(e, c): return [%d, os.environ['AWS_LAMBDA_FUNCTION_VERSION'], c.invoked_function_arn]"
    create(lam, "versions", package(app__py=body % 1))
    one = lam.publish_version(FunctionName="versions", Description="first")
    assert one["Version"] == "1" and one["FunctionArn"].endswith(":versions:1") and one["Description"] == "first", one
    assert lam.publish_version(FunctionName="versions")["Version"] == "1"
    wrong = base64.b64encode(b"0" * 32).decode()
    refused("InvalidParameterValueException", lam.publish_version, FunctionName="versions", CodeSha256=wrong)
    two = lam.update_function_code(FunctionName="versions", ZipFile=package(app__py=body % 2), Publish=True)
    assert two["Version"] == "2", two
    assert [v["Version"] for v in lam.list_versions_by_function(FunctionName="versions")["Versions"]] == ["$LATEST", "1", "2"]
    alias = lam.create_alias(FunctionName="versions", Name="live", FunctionVersion="1", Description="now")
    assert alias["AliasArn"].endswith(":function:versions:live") and alias["FunctionVersion"] == "1", alias
    refused("ResourceConflictException", lam.create_alias, FunctionName="versions", Name="live", FunctionVersion="1")
    refused("ResourceNotFoundException", lam.create_alias, FunctionName="versions", Name="other", FunctionVersion="9")
    refused("ValidationException", lam.create_alias, FunctionName="versions", Name="12", FunctionVersion="1")
    answer, _, _ = call(lam, "versions", Qualifier="live")
    assert answer[:2] == [1, "1"] and answer[2].endswith(":versions:live"), answer
    assert lam.invoke(FunctionName="versions:live")["ExecutedVersion"] == "1"
    assert call(lam, "versions")[0][:2] == [2, "$LATEST"]
    refused("ResourceConflictException", lam.delete_function, FunctionName="versions", Qualifier="1")
    moved = lam.update_alias(FunctionName="versions", Name="live", FunctionVersion="2", RevisionId=alias["RevisionId"])
    refused("PreconditionFailedException", lam.update_alias, FunctionName="versions", Name="live", RevisionId=alias["RevisionId"])
    assert lam.get_alias(FunctionName="versions", Name="live")["RevisionId"] == moved["RevisionId"]
    assert call(lam, "versions", Qualifier="live")[0][:2] == [2, "2"]
    lam.delete_function(FunctionName="versions", Qualifier="1")
    refused("ResourceNotFoundException", lam.get_function, FunctionName="versions", Qualifier="1")
    refused("InvalidParameterValueException", lam.delete_function, FunctionName="versions", Qualifier="$LATEST")
    assert [a["Name"] for a in lam.list_aliases(FunctionName="versions")["Aliases"]] == ["live"]
    lam.delete_alias(FunctionName="versions", Name="live")
    refused("ResourceNotFoundException", lam.get_alias, FunctionName="versions", Name="live")
    refused("InvalidParameterValueException", lam.get_function, FunctionName="versions:2", Qualifier="live")


@check
def provisioned_concurrency_is_for_versions_and_aliases(server):
    lam, _ = clients(server)
    create(lam, "ready", package(app__py="handler = print"), Publish=True)
    lam.create_alias(FunctionName="ready", Name="live", FunctionVersion="1")
    put = lam.put_provisioned_concurrency_config
    refused("InvalidParameterValueException", put, FunctionName="ready", Qualifier="$LATEST", ProvisionedConcurrentExecutions=1)
    refused("ResourceNotFoundException", put, FunctionName="ready", Qualifier="none", ProvisionedConcurrentExecutions=1)
    get = lam.get_provisioned_concurrency_config
    refused("ProvisionedConcurrencyConfigNotFoundException", get, FunctionName="ready", Qualifier="live")
    made = put(FunctionName="ready", Qualifier="live", ProvisionedConcurrentExecutions=2)
    assert made["Status"] == "IN_PROGRESS" and made["AllocatedProvisionedConcurrentExecutions"] == 0, made
    ready = until(lambda: [c for c in [get(FunctionName="ready", Qualifier="live")] if c["Status"] == "READY"])[0]
    assert ready["AvailableProvisionedConcurrentExecutions"] == 2, ready
    listed = lam.list_provisioned_concurrency_configs(FunctionName="ready")["ProvisionedConcurrencyConfigs"]
    assert listed[0]["FunctionArn"].endswith(":ready:live"), listed
    refused("InvalidParameterValueException", lam.put_function_concurrency, FunctionName="ready", ReservedConcurrentExecutions=1)
    lam.delete_provisioned_concurrency_config(FunctionName="ready", Qualifier="live")
    refused("ResourceNotFoundException", lam.delete_provisioned_concurrency_config, FunctionName="ready", Qualifier="live")
    refused("ProvisionedConcurrencyConfigNotFoundException", get, FunctionName="ready", Qualifier="live")
    assert "ReservedConcurrentExecutions" not in lam.get_function_concurrency(FunctionName="ready")
    lam.put_function_concurrency(FunctionName="ready", ReservedConcurrentExecutions=5)
    assert lam.get_function(FunctionName="ready")["Concurrency"] == {"ReservedConcurrentExecutions": 5}
    refused("InvalidParameterValueException", lam.put_function_concurrency, FunctionName="ready", ReservedConcurrentExecutions=901)
    settings = lam.get_account_settings()
    assert settings["AccountLimit"]["UnreservedConcurrentExecutions"] == 995, settings
    lam.delete_function_concurrency(FunctionName="ready")


@check
def permissions_are_statements_of_a_policy(server):
    lam, _ = clients(server)
    create(lam, "open", package(app__py="handler = print"), Publish=True)
    lam.create_alias(FunctionName="open", Name="live", FunctionVersion="1")
    refused("ResourceNotFoundException", lam.get_policy, FunctionName="open")
    grant = {"Action": "lambda:InvokeFunction", "Principal": "healthlake.amazonaws.com"}
    arn = "arn:aws:healthlake:us-east-1:123456789012:datastore/fhir/1"
    said = lam.add_permission(FunctionName="open", StatementId="healthlake", SourceAccount=ACCOUNT, SourceArn=arn, **grant)
    assert json.loads(said["Statement"]) == {
        "Sid": "healthlake", "Effect": "Allow", "Principal": {"Service": "healthlake.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:open",
        "Condition": {"StringEquals": {"AWS:SourceAccount": ACCOUNT}, "ArnLike": {"AWS:SourceArn": arn}},
    }, said
    refused("ResourceConflictException", lam.add_permission, FunctionName="open", StatementId="healthlake", **grant)
    policy = lam.get_policy(FunctionName="open")
    assert [s["Sid"] for s in json.loads(policy["Policy"])["Statement"]] == ["healthlake"], policy
    refused("PreconditionFailedException", lam.add_permission, FunctionName="open", StatementId="b", RevisionId="other", **grant)
    lam.add_permission(FunctionName="open", StatementId="b", RevisionId=policy["RevisionId"], **grant)
    lam.add_permission(FunctionName="open", StatementId="q", Qualifier="live", **grant)
    qualified = json.loads(lam.get_policy(FunctionName="open", Qualifier="live")["Policy"])
    assert qualified["Statement"][0]["Resource"].endswith(":function:open:live"), qualified
    refused("InvalidParameterValueException", lam.add_permission, FunctionName="open", StatementId="l", Qualifier="$LATEST", **grant)
    account = lam.add_permission(FunctionName="open", StatementId="acc", Action="lambda:InvokeFunction", Principal="111122223333")
    assert json.loads(account["Statement"])["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}, account
    bad = {"Action": "lambda:InvokeFunction", "Principal": "nobody"}
    refused("InvalidParameterValueException", lam.add_permission, FunctionName="open", StatementId="bad", **bad)
    lam.remove_permission(FunctionName="open", StatementId="healthlake")
    refused("ResourceNotFoundException", lam.remove_permission, FunctionName="open", StatementId="healthlake")
    for sid in ("b", "acc"):
        lam.remove_permission(FunctionName="open", StatementId=sid)
    refused("ResourceNotFoundException", lam.get_policy, FunctionName="open")


@check
def functions_are_tagged_and_listed(server):
    lam, _ = clients(server, region="eu-west-2")
    code = package(app__py="handler = print")
    arns = [create(lam, f"list-{number}", code)["FunctionArn"] for number in range(3)]
    lam.tag_resource(Resource=arns[0], Tags={"a": "1", "b:c/d": "ü"})
    lam.untag_resource(Resource=arns[0], TagKeys=["a"])
    assert lam.list_tags(Resource=arns[0])["Tags"] == {"b:c/d": "ü"}
    refused("InvalidParameterValueException", lam.tag_resource, Resource=arns[0], Tags={"aws:x": ""})
    refused("InvalidParameterValueException", lam.list_tags, Resource=arns[0] + ":1")
    pages = list(lam.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
    names = [function["FunctionName"] for page in pages for function in page["Functions"]]
    assert names == ["list-0", "list-1", "list-2"] and len(pages) == 2, names
    assert all("State" not in function for page in pages for function in page["Functions"])


@check
def a_change_in_progress_stands_against_the_next(_server):
    with Server("--function-delay", "0.6") as server:
        lam, _ = clients(server)
        code = package(app__py="handler = print")
        lam.create_function(FunctionName="passage", Runtime="python3.12", Role=ROLE, Handler="app.handler", Code={"ZipFile": code})
        assert lam.get_function(FunctionName="passage")["Configuration"]["State"] == "Pending"
        conflict = "ResourceConflictException"
        refused(conflict, lam.update_function_configuration, FunctionName="passage", Timeout=5)
        refused(conflict, lam.invoke, FunctionName="passage")
        lam.get_waiter("function_active_v2").wait(FunctionName="passage")
        lam.update_function_configuration(FunctionName="passage", Timeout=5)
        assert lam.get_function(FunctionName="passage")["Configuration"]["LastUpdateStatus"] == "InProgress"
        refused(conflict, lam.update_function_code, FunctionName="passage", ZipFile=code)
        refused(conflict, lam.publish_version, FunctionName="passage")
        lam.add_permission(FunctionName="passage", StatementId="s", Action="lambda:InvokeFunction", Principal="healthlake.amazonaws.com")
        lam.get_waiter("function_updated_v2").wait(FunctionName="passage")
        lam.publish_version(FunctionName="passage")


@check
def a_new_role_is_unknown_to_lambda_for_a_while(_server):
    with Server("--faults", json.dumps({"propagation": {"iam_ms": 400}})) as server:
        server.client("iam").create_role(RoleName="fn", AssumeRolePolicyDocument=trust_lambda())
        lam = server.client("lambda")
        function = {"FunctionName": "early", "Runtime": "python3.12", "Role": ROLE, "Handler": "a.b"}
        code = {"ZipFile": package(a__py="b = print")}
        error = refused("InvalidParameterValueException", lam.create_function, Code=code, **function)
        assert "cannot be assumed by Lambda" in str(error), error
        until(lambda: made(lam, Code=code, **function))


def made(lam, **function):
    try:
        return lam.create_function(**function)
    except lam.exceptions.InvalidParameterValueException:
        return None


@check
def functions_and_logs_outlive_the_process(_server):
    with tempfile.TemporaryDirectory(dir=".") as made_here:
        directory = os.path.relpath(made_here)
        code = package(app__py=PYTHON)
        with Server("--data-dir", directory) as server:
            lam, logs = clients(server)
            create(lam, "kept", code, Timeout=5)
            failing = {"FunctionName": "other", "Runtime": "python2.7", "Role": ROLE, "Handler": "a.b"}
            other = {"ZipFile": package(a__py="b = print")}
            refused("InvalidParameterValueException", lam.create_function, Code=other, **failing)
            name = hashlib.sha256(code).hexdigest()
            assert sorted(os.listdir(os.path.join(directory, "packages"))) == [name, name + ".zip"]
            pid = call(lam, "kept", {"do": "echo"})[0]["pid"]
        gone(pid)
        with Server("--data-dir", directory) as server, Server("--data-dir", directory) as beside:
            lam, logs = clients(server)
            assert call(lam, "kept", {"do": "echo"})[1] is None
            assert len(lines_of(logs, "/aws/lambda/kept", "printed")) == 2
            other = beside.client("lambda")
            assert call(other, "kept", {"do": "echo"})[1] is None
            location = other.get_function(FunctionName="kept")["Code"]["Location"]
            with urllib.request.urlopen(location, timeout=5) as answer:
                assert answer.read() == code
            control = os.path.join(directory, "control.json")
            assert os.path.getsize(control) < 20_000
            lam.delete_function(FunctionName="kept")
            assert os.listdir(os.path.join(directory, "packages")) == []


def gone(pid):
    """Waits until a process has ended."""
    until(lambda: not alive(pid))


def alive(pid):
    # One that nobody has waited for yet is dead all the same.
    state = subprocess.run(["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return state not in ("", "Z")


@check
def nothing_runs_on_after_the_emulator(_server):
    for kill in (True, False):
        server = Server()
        lam, _ = clients(server)
        create(lam, "leaves", package(app__py=PYTHON), Timeout=100)
        folder = call(lam, "leaves", {"do": "environ"})[0]["cwd"]
        child = call(lam, "leaves", {"do": "child"})[0]
        leader = call(lam, "leaves", {"do": "echo"})[0]["pid"]
        with concurrent.futures.ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(lambda: lam.invoke(FunctionName="leaves", Payload=b'{"do": "sleep", "seconds": 60}'))
            time.sleep(0.3)
            assert alive(child) and alive(leader)
            if kill:
                server.kill()
            else:
                server.process.terminate()
                assert server.process.wait(10) == 0
            waiting.exception(10)
        gone(child)
        gone(leader)
        until(lambda: not os.path.exists(os.path.dirname(folder)))


@check
def log_groups_are_kept_with_their_settings(server):
    logs = server.client("logs")
    logs.create_log_group(logGroupName="/stack/a", tags={"team": "health"})
    refused("ResourceAlreadyExistsException", logs.create_log_group, logGroupName="/stack/a")
    message = str(refused("InvalidParameterException", logs.create_log_group, logGroupName="not a name"))
    assert "'logGroupName' failed to satisfy constraint" in message, message
    logs.create_log_group(logGroupName="/stack/b")
    groups = logs.describe_log_groups(logGroupNamePrefix="/stack/")["logGroups"]
    assert [g["logGroupName"] for g in groups] == ["/stack/a", "/stack/b"], groups
    assert groups[0]["arn"].endswith(":log-group:/stack/a:*") and groups[0]["logGroupArn"].endswith(":/stack/a"), groups
    assert "retentionInDays" not in groups[0] and groups[0]["logGroupClass"] == "STANDARD", groups
    pages = list(logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="/stack/", PaginationConfig={"PageSize": 1}))
    assert len(pages) == 2, pages
    logs.put_retention_policy(logGroupName="/stack/a", retentionInDays=14)
    assert logs.describe_log_groups(logGroupNamePrefix="/stack/a")["logGroups"][0]["retentionInDays"] == 14
    refused("InvalidParameterException", logs.put_retention_policy, logGroupName="/stack/a", retentionInDays=15)
    logs.delete_retention_policy(logGroupName="/stack/a")
    arn = groups[0]["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"more": "ü"})
    logs.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"more": "ü"}
    refused("InvalidParameterException", logs.list_tags_for_resource, resourceArn=arn + ":*")
    refused("ResourceNotFoundException", logs.list_tags_for_resource, resourceArn=arn + "x")
    key = server.client("kms").create_key()["KeyMetadata"]["Arn"]
    logs.associate_kms_key(logGroupName="/stack/a", kmsKeyId=key)
    assert logs.describe_log_groups(logGroupNamePrefix="/stack/a")["logGroups"][0]["kmsKeyId"] == key
    refused("InvalidParameterException", logs.associate_kms_key, logGroupName="/stack/a", kmsKeyId=key[:-1])
    logs.disassociate_kms_key(logGroupName="/stack/a")
    assert "kmsKeyId" not in logs.describe_log_groups(logGroupNamePrefix="/stack/a")["logGroups"][0]
    for name in ("/stack/a", "/stack/b"):
        logs.delete_log_group(logGroupName=name)
    refused("ResourceNotFoundException", logs.delete_log_group, logGroupName="/stack/a")


@check
def events_are_written_read_and_filtered(server):
    logs = server.client("logs")
    logs.create_log_group(logGroupName="events")
    refused("ResourceNotFoundException", logs.put_log_events, logGroupName="events", logStreamName="s", logEvents=[{"timestamp": 1, "message": "m"}])
    logs.create_log_stream(logGroupName="events", logStreamName="s")
    refused("ResourceAlreadyExistsException", logs.create_log_stream, logGroupName="events", logStreamName="s")
    now = int(time.time() * 1000)
    batch = [{"timestamp": now + number, "message": f"number {number}"} for number in range(5)]
    logs.put_log_events(logGroupName="events", logStreamName="s", logEvents=batch)
    refused("InvalidParameterException", logs.put_log_events, logGroupName="events", logStreamName="s", logEvents=batch[::-1])
    old = logs.put_log_events(logGroupName="events", logStreamName="s", logEvents=[{"timestamp": 1, "message": "old"}])
    assert old["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}, old
    get = lambda **more: logs.get_log_events(logGroupName="events", logStreamName="s", **more)
    assert [e["message"] for e in get(limit=2)["events"]] == ["number 3", "number 4"]
    first = get(limit=3, startFromHead=True)
    assert [e["message"] for e in first["events"]] == ["number 0", "number 1", "number 2"]
    rest = get(limit=3, nextToken=first["nextForwardToken"])
    assert [e["message"] for e in rest["events"]] == ["number 3", "number 4"]
    end = get(limit=3, nextToken=rest["nextForwardToken"])
    assert end["events"] == [] and end["nextForwardToken"] == rest["nextForwardToken"], end
    assert [e["message"] for e in get(startTime=now + 1, endTime=now + 3)["events"]] == ["number 1", "number 2"]
    found = logs.filter_log_events(logGroupName="events", filterPattern='"number 2"')["events"]
    assert [e["message"] for e in found] == ["number 2"] and found[0]["logStreamName"] == "s", found
    pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName="events", PaginationConfig={"PageSize": 2}))
    assert sum(len(page["events"]) for page in pages) == 5 and len(pages) == 3, pages
    stream = logs.describe_log_streams(logGroupName="events", orderBy="LastEventTime", descending=True)["logStreams"][0]
    assert stream["firstEventTimestamp"] == now and stream["lastEventTimestamp"] == now + 4, stream
    logs.delete_log_stream(logGroupName="events", logStreamName="s")
    refused("ResourceNotFoundException", get)
    logs.delete_log_group(logGroupName="events")


@check
def faults_and_denials_come_in_lambdas_own_words(server):
    lam, logs = clients(server)
    server.faults(rules=[{"service": "lambda", "operation": "GetAccountSettings", "action": "throttle"}])
    refused("TooManyRequestsException", lam.get_account_settings)
    server.faults(rules=[{"service": "lambda", "action": "server_error"}])
    refused("ServiceException", lam.get_account_settings)
    server.faults(deny=["lambda:InvokeFunction", "logs:CreateLogGroup"])
    refused("AccessDeniedException", lam.invoke, FunctionName="any")
    refused("AccessDeniedException", logs.create_log_group, logGroupName="any")
    server.faults()
    error = refused("UnknownOperationException", lam.list_layers)
    assert "hlctl-emulator does not model lambda:GET /2018-10-31/layers" in str(error), error
    refused("UnknownOperationException", logs.describe_metric_filters)
    refused("ExpiredTokenException", server.client("lambda", key="EXPIRED1").get_account_settings)


def main():
    passed, failed = 0, 0
    only = sys.argv[2:]
    with Server() as server:
        for run in CHECKS:
            if only and run.__name__ not in only:
                continue
            server.faults()
            try:
                run(server)
                passed += 1
            except Exception:
                failed += 1
                print(f"FAILED {run.__name__}")
                traceback.print_exc(file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
