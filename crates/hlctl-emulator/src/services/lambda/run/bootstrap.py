"""Runs a Python function: the emulator's client of the Lambda Runtime API.

It reads `_HANDLER`, imports the module from `LAMBDA_TASK_ROOT`, and then fetches one invocation after another.
Errors have the shapes that Lambda's own runtime gives them.
"""

import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
ROOT = os.environ["LAMBDA_TASK_ROOT"]
BASE = "/2018-06-01/runtime/"


class Client:
    """One connection, which stays open from one invocation to the next."""

    def __init__(self):
        self.connection = http.client.HTTPConnection(API)

    def next(self):
        self.connection.request("GET", BASE + "invocation/next")
        response = self.connection.getresponse()
        return response.headers, response.read()

    def post(self, path, body):
        self.connection.request("POST", BASE + path, body, {"Content-Type": "application/json"})
        self.connection.getresponse().read()


class Context:
    """What a handler is told of its invocation."""

    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        client_context = headers.get("Lambda-Runtime-Client-Context")
        self.client_context = json.loads(client_context) if client_context else None
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)


class InitError(Exception):
    """Why there is no handler, under the name that Lambda has for it."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.report = {"errorMessage": message, "errorType": kind, "stackTrace": list(trace)}


class LogHandler(logging.Handler):
    """Lambda's format: level, time, request id and message, with tabs in between."""

    request_id = ""

    def emit(self, record):
        instant = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + "".join(traceback.format_exception(*record.exc_info))
        line = f"[{record.levelname}]\t{instant}.{int(record.msecs):03d}Z\t{self.request_id}\t{text}"
        # A message is one event, however many lines it has.
        print(line.rstrip("\n").replace("\n", "\r"))


def load(name):
    """The function that `module.function` names; the module may be in folders, with slashes."""
    module, dot, function = name.rpartition(".")
    if not dot:
        raise InitError(
            "Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)"
        )
    try:
        loaded = importlib.import_module(module.replace("/", "."))
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        raise InitError("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}", trace) from error
    except ImportError as error:
        raise InitError("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}") from error
    try:
        return getattr(loaded, function)
    except AttributeError as error:
        raise InitError("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module}'") from error


def failure(error):
    """The report of an exception, without the frames of this file."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != "<stdin>"]
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_list(frames),
    }


def show(report):
    lines = [f"[ERROR] {report['errorType']}: {report['errorMessage']}"]
    if report.get("stackTrace"):
        lines += ["Traceback (most recent call last):", *(line.rstrip("\n") for line in report["stackTrace"])]
    print("\r".join(line.replace("\n", "\r") for line in lines))


def main():
    sys.path[:] = [ROOT] + [path for path in sys.path if path]
    handler = LogHandler()
    logging.getLogger().addHandler(handler)
    client = Client()
    try:
        function = load(os.environ["_HANDLER"])
    except InitError as error:
        report = error.report
    except Exception as error:
        report = failure(error)
    else:
        report = None
    if report:
        show(report)
        client.post("init/error", json.dumps(report))
        sys.exit(1)
    while True:
        headers, event = client.next()
        context = Context(headers)
        handler.request_id = context.aws_request_id
        try:
            answer = serialised(function(json.loads(event), context))
        except Exception as error:
            report = {**failure(error), "requestId": context.aws_request_id}
            show(report)
            client.post(f"invocation/{context.aws_request_id}/error", json.dumps(report))
        else:
            client.post(f"invocation/{context.aws_request_id}/response", answer)


def serialised(answer):
    try:
        return json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass")
    except TypeError as error:
        marshal = type("Runtime.MarshalError", (Exception,), {})
        raise marshal(f"Unable to marshal response: {error}") from error


main()
