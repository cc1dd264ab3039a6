// The functions under test, as anybody would write them for Google.
const { createHash } = require("node:crypto");
const functions = require("@google-cloud/functions-framework");

const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

/** The request, as it arrived. */
function echo(request) {
  const body = request.rawBody ?? Buffer.alloc(0);
  return {
    method: request.method,
    path: request.path,
    query: request.query,
    headers: request.headers,
    size: body.length,
    sha256: createHash("sha256").update(body).digest("hex"),
    start: body.subarray(0, 1000).toString("latin1"),
  };
}

const answers = {
  cookies: (response) => response.append("set-cookie", "a=1; Path=/").append("set-cookie", "b=2; Path=/; HttpOnly").send("two cookies"),
  binary: (response) => response.status(418).type("application/octet-stream").send(bytes),
  nothing: (response) => response.status(204).end(),
  missing: (response) => response.status(404).json({ error: "no such thing here" }),
  broken: () => {
    throw new Error("out of order");
  },
  stream: (response) => {
    response.type("text/plain").write("one ");
    setImmediate(() => {
      response.write("two ");
      setImmediate(() => response.end("three"));
    });
  },
};

functions.http("hello", (request, response) => {
  const answer = answers[request.query.do];
  if (answer) answer(response);
  else response.json(echo(request));
});

// An event has no answer: what arrived is said on stdout.
functions.cloudEvent("event", (event) => {
  if (event.type === "com.example.broken") throw new Error("out of order");
  process.stdout.write(`event ${JSON.stringify(event)}\n`);
});
