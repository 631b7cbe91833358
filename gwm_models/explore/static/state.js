/* The state of a view lives in the address after the hash, so that a link or a reload gives the same view. */

export function readState(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view, ...rest] = path.split("/");
  return { view: view || "areas", id: safely(rest.join("/")), params: Object.fromEntries(new URLSearchParams(query)) };
}

function safely(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function address(view, params = {}, id = "") {
  const given = Object.entries(params).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const query = new URLSearchParams(given).toString();
  return `#/${view}${id ? `/${encodeURIComponent(id)}` : ""}${query ? `?${query}` : ""}`;
}

/* Keeps the address in step with a view that the reader changes, without a new step of the history. */
export function keep(view, params, id = "") {
  const wanted = address(view, params, id);
  if (location.hash !== wanted) history.replaceState(null, "", wanted);
}

/* A form in an address: a letter for the packing, then base64url. */

export async function pack(form) {
  const bytes = new TextEncoder().encode(JSON.stringify(form));
  if (typeof CompressionStream === "undefined") return `j${toBase64(bytes)}`;
  return `z${toBase64(await through(bytes, new CompressionStream("deflate-raw")))}`;
}

export async function unpack(text) {
  try {
    const bytes = fromBase64(text.slice(1));
    const plain = text[0] === "z" ? await through(bytes, new DecompressionStream("deflate-raw"), 262144) : bytes;
    const form = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(plain));
    if (form === null || typeof form !== "object" || Array.isArray(form)) throw new Error("no form");
    return form;
  } catch {
    throw new Error(
      "The scenario in this address cannot be read: part of the link is missing or changed. Copy the whole link again.",
    );
  }
}

async function through(bytes, stream, most = Infinity) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) throw new Error("too long");
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function toBase64(bytes) {
  let text = "";
  for (let place = 0; place < bytes.length; place += 4096)
    text += String.fromCharCode(...bytes.subarray(place, place + 4096));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromBase64(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}
