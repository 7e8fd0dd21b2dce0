// Runs a Node function: the emulator's client of the Lambda Runtime API.
//
// It reads `_HANDLER`, loads the module from `LAMBDA_TASK_ROOT`, whichever kind of module it is, and then fetches
// one invocation after another. Errors have the shapes that Lambda's own runtime gives them.

const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const util = require("node:util");
const { pathToFileURL } = require("node:url");

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const BASE = "/2018-06-01/runtime/";
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
let requestId = "undefined";

function call(method, where, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
    const request = http.request({ host, port, agent, method, headers, path: BASE + where }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(parts).toString("utf8") }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

class NamedError extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

// What is logged has its time, the invocation and a level before it, and is one event however many lines it has.
for (const [method, level] of Object.entries({ log: "INFO", debug: "DEBUG", info: "INFO", warn: "WARN", error: "ERROR", trace: "TRACE" })) {
  console[method] = (...values) => {
    const text = util.format(...values).replaceAll("\n", "\r");
    fs.writeSync(1, `${new Date().toISOString()}\t${requestId}\t${level}\t${text}\n`);
  };
}

function failure(error) {
  if (!(error instanceof Error)) {
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  }
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? "").split("\n") };
}

function file(root, name) {
  for (const end of ["", ".js", ".mjs", ".cjs"]) {
    const candidate = path.join(root, name + end);
    if (fs.existsSync(candidate) && fs.statSync(candidate).isFile()) {
      return candidate;
    }
  }
  throw new NamedError("Runtime.ImportModuleError", `Error: Cannot find module '${name}'`);
}

async function load(root, handler) {
  const [, name, member] = /^(.*?)\.([^./]+)$/.exec(handler) ?? [];
  if (!name) {
    throw new NamedError("Runtime.MalformedHandlerName", "Bad handler");
  }
  let loaded;
  const where = file(root, name);
  try {
    loaded = await import(pathToFileURL(where));
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new NamedError("Runtime.UserCodeSyntaxError", String(error));
    }
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") {
      throw new NamedError("Runtime.ImportModuleError", String(error));
    }
    throw error;
  }
  const found = loaded[member] ?? loaded.default?.[member];
  if (typeof found !== "function") {
    throw new NamedError("Runtime.HandlerNotFound", `${handler} is undefined or not exported`);
  }
  return found;
}

function contextOf(headers) {
  const { env } = process;
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const clientContext = headers["lambda-runtime-client-context"];
  return {
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: clientContext ? JSON.parse(clientContext) : undefined,
    identity: undefined,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
  };
}

// A handler gives a promise, or calls back if it takes a third argument.
function run(handler, event, context) {
  return new Promise((resolve, reject) => {
    const callback = (error, answer) => (error == null ? resolve(answer) : reject(error));
    const result = handler(event, { ...context, done: callback, succeed: resolve, fail: reject }, callback);
    if (typeof result?.then === "function") {
      result.then(resolve, reject);
    } else if (handler.length < 3 && result !== undefined) {
      resolve(result);
    } else if (handler.length < 3 && handler.constructor.name === "Function") {
      resolve(null);
    }
  });
}

async function fail(where, report) {
  console.error("Invoke Error", "\t", JSON.stringify(report));
  await call("POST", where, JSON.stringify(report));
}

async function main() {
  let handler;
  try {
    handler = await load(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
  } catch (error) {
    await fail("init/error", failure(error));
    process.exit(1);
  }
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.on(event, async (error) => {
      const report = failure(error);
      if (event === "unhandledRejection") {
        report.errorMessage = `${report.errorType}: ${report.errorMessage}`;
        report.errorType = "Runtime.UnhandledPromiseRejection";
      }
      await fail(`invocation/${requestId}/error`, report);
      process.exit(129);
    });
  }
  for (;;) {
    const { headers, body } = await call("GET", "invocation/next");
    const context = contextOf(headers);
    requestId = context.awsRequestId;
    try {
      const answer = await run(handler, JSON.parse(body), context);
      await call("POST", `invocation/${requestId}/response`, JSON.stringify(answer ?? null));
    } catch (error) {
      await fail(`invocation/${requestId}/error`, failure(error));
    }
  }
}

// Without the emulator there is nothing left to do.
main().catch(() => process.exit(1));
