// What the component's requests pass on their way out. The shim of jco sends wherever it is told to, so the list of hosts
// that the component declares in its catalog is enforced here.

import { outgoingHandler } from "@bytecodealliance/preview2-shim/http";

let rules = [];
let reroute;

/** Allows what an egress manifest names, and nothing else; before that, nothing is allowed. */
export function allow(manifest) {
  rules = manifest;
}

/** For tests: everything goes to this authority on loopback, with the host that was meant as the first part of the path. */
export function sendTo(authority) {
  reroute = authority;
}

function isAllowed(host) {
  return rules.some((rule) => {
    if (rule.host) return host === rule.host;
    const suffix = rule["host-suffix"];
    if (!host.endsWith(suffix)) return false;
    const labels = host.slice(0, -suffix.length).split(".");
    const [least, most] = rule.labels;
    return labels.length >= least && labels.length <= most && labels.every((label) => /^[a-z0-9-]+$/.test(label));
  });
}

export function handle(request, options) {
  // With a port or anything else that is no plain host, it is none of the list.
  const host = request.authority() ?? "";
  if (request.scheme()?.tag !== "HTTPS" || !isAllowed(host)) throw { tag: "HTTP-request-denied" };
  if (reroute) {
    request.setPathWithQuery(`/${host}${request.pathWithQuery() ?? "/"}`);
    request.setScheme({ tag: "HTTP" });
    request.setAuthority(reroute);
  }
  return outgoingHandler.handle(request, options);
}
