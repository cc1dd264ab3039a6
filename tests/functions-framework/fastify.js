// A function as Fastify serves one on Cloud Run: it reads a body by its media type, and refuses what is none of it.
const fastify = require("fastify");

const app = fastify();
app.all("/*", async (request) => ({
  method: request.method,
  type: request.headers["content-type"] ?? null,
  length: request.headers["content-length"] ?? null,
  coding: request.headers["transfer-encoding"] ?? null,
  body: request.body ?? null,
}));
app.listen({ port: Number(process.env.PORT), host: process.env.HOST });
