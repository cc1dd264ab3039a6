// The JSON that the catalog describes, as the values that a transpiled component takes and gives; by the catalog's own
// schemas, so that a value that does not fit is refused with the name of its field.
//
// | in the catalog's JSON            | for the component                     |
// |----------------------------------|---------------------------------------|
// | `{"raise-for-status": true}`     | `{ raiseForStatus: true }`            |
// | `"own"`, `{"named": {…}}`        | `{ tag: "own" }`, `{ tag: "named", val: {…} }` |
// | a name of an enum                | the same                              |
// | a field that is left out         | its default, or undefined             |
// | bytes, as a Uint8Array           | the same                              |

/** A value that its type has no place for. `field` says where: `request.function.named.region`. */
export class FieldError extends TypeError {
  constructor(field, problem) {
    // The value is not repeated: it may be a secret.
    super(`${field}: ${problem}`);
    this.name = "FieldError";
    this.field = field;
  }
}

/** The arguments of an action, from its input; `named` has those that are no part of it: the connection, the deadline. */
export function lowerArguments(catalog, action, input, named) {
  const { parameters, input: schema } = action;
  const isWhole = parameters.includes("request");
  const lowered = lower(catalog, schema, input, isWhole ? "request" : "");
  return parameters.map((parameter) => {
    if (isWhole && parameter === "request") return lowered;
    return camel(parameter) in lowered && !isWhole ? lowered[camel(parameter)] : named[parameter];
  });
}

/** From the catalog's JSON to what the component takes. */
export function lower(catalog, schema, value, at) {
  const of = resolved(catalog, schema);
  if (of.oneOf) return lowerVariant(catalog, of, value, at);
  if (of.enum && typeof value === "string") {
    if (!of.enum.includes(value)) throw new FieldError(at, `one of ${of.enum.join(", ")} belongs here`);
    return value;
  }
  switch ([of.type].flat()[0]) {
    case "object":
      return lowerRecord(catalog, of, value, at);
    case "array":
      need(Array.isArray(value), at, "an array", value);
      if (of.prefixItems) need(value.length === of.prefixItems.length, at, `an array of ${of.prefixItems.length}`, value);
      return value.map((item, index) => lower(catalog, of.prefixItems?.[index] ?? of.items, item, `${at}[${index}]`));
    case "string":
      // An option inside of a variant.
      if (value === null && [of.type].flat().includes("null")) return undefined;
      if (of.contentEncoding === "base64") need(value instanceof Uint8Array, at, "a Uint8Array", value);
      else need(typeof value === "string", at, "a string", value);
      return value;
    case "integer": {
      const { minimum: least = 0, maximum: most = Number.MAX_SAFE_INTEGER } = of;
      need(Number.isInteger(value) && least <= value && value <= most, at, `a number from ${least} to ${most}`, value);
      return value;
    }
    case "boolean":
      need(typeof value === "boolean", at, "true or false", value);
      return value;
  }
  throw new FieldError(at, "a type that this host does not know");
}

function lowerRecord(catalog, { properties, required }, value, at) {
  need(isObject(value), at, "an object", value);
  const inside = (name) => (at ? `${at}.${name}` : name);
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(properties, name)) {
      throw new FieldError(inside(name), `there is no such field; there are ${Object.keys(properties).join(", ")}`);
    }
  }
  const lowered = {};
  for (const [name, schema] of Object.entries(properties)) {
    const given = value[name] ?? filledIn(resolved(catalog, schema), schema.default);
    if (given === undefined && required.includes(name)) throw new FieldError(inside(name), "this field is missing");
    lowered[camel(name)] = given === undefined ? undefined : lower(catalog, schema, given, inside(name));
  }
  return lowered;
}

/**
 * The default of a field that the contract always has: a choice, a list, an empty text. Any other default only says what the
 * connector takes in the place of nothing.
 */
function filledIn({ type, enum: choices }, given) {
  return choices || type === "array" || type === "boolean" || given === "" ? given : undefined;
}

function lowerVariant(catalog, { oneOf }, value, at) {
  const cases = new Map(oneOf.map((each) => (each.const ? [each.const, undefined] : Object.entries(each.properties)[0])));
  const names = [...cases.keys()].join(", ");
  const [tag, ...others] = typeof value === "string" ? [value] : isObject(value) ? Object.keys(value) : [];
  if (tag === undefined || others.length) throw new FieldError(at, `a name, or an object of one field, of ${names}`);
  if (!cases.has(tag)) throw new FieldError(at, `there is no such case; the cases are ${names}`);
  const schema = cases.get(tag);
  if ((schema === undefined) !== (typeof value === "string")) {
    throw new FieldError(at, schema ? `the case ${tag} has a value` : `the case ${tag} has no value`);
  }
  return schema ? { tag, val: lower(catalog, schema, value[tag], `${at}.${tag}`) } : { tag };
}

/** The inverse of `lower`. A number that may be large is a BigInt for the component, and a number here. */
export function lift(catalog, schema, value) {
  const of = resolved(catalog, schema);
  if (of.oneOf) {
    const found = of.oneOf.find((each) => each.const === undefined && Object.hasOwn(each.properties, value.tag));
    return found ? { [value.tag]: lift(catalog, found.properties[value.tag], value.val) } : value.tag;
  }
  if (of.properties) {
    const fields = Object.entries(of.properties).filter(([name]) => value[camel(name)] !== undefined);
    return Object.fromEntries(fields.map(([name, inner]) => [name, lift(catalog, inner, value[camel(name)])]));
  }
  if (Array.isArray(value)) return value.map((item, index) => lift(catalog, of.prefixItems?.[index] ?? of.items, item));
  if (typeof value === "bigint") return Number(value);
  return value ?? null;
}

function resolved(catalog, schema) {
  const name = schema.$ref?.match(/^#\/\$defs\/(.+)$/)?.[1];
  return name ? resolved(catalog, catalog.$defs[name]) : schema;
}

function camel(name) {
  return name.replace(/-([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function need(isSo, at, words, value) {
  if (!isSo) throw new FieldError(at, `${words} belongs here, not ${value === null ? "null" : typeof value}`);
}
