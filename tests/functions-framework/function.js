// The function under test, as anybody would write it for Google: it answers what it received.
const { createHash } = require("node:crypto");
const functions = require("@google-cloud/functions-framework");

functions.http("hello", (request, response) => {
  if (request.query.do === "cookies") {
    response.append("set-cookie", "a=1; Path=/").append("set-cookie", "b=2; Path=/; HttpOnly").send("two cookies");
    return;
  }
  if (request.query.do === "teapot") {
    response.status(418).type("application/octet-stream").send(Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
    return;
  }
  const body = request.rawBody ?? Buffer.alloc(0);
  response.json({
    method: request.method,
    path: request.path,
    query: request.query,
    headers: request.headers,
    size: body.length,
    sha256: createHash("sha256").update(body).digest("hex"),
    start: body.subarray(0, 100).toString("latin1"),
  });
});
