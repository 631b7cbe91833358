/* Questions to the server of this page; an answer that is not one becomes an error in words. */

const kept = new Map();
const CLIENT = Array.from(crypto.getRandomValues(new Uint32Array(3)), (part) => part.toString(36)).join("-");

async function answer(path, options) {
  let response;
  try {
    response = await fetch(path, { cache: "no-store", credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The explorer's server does not answer. Start it again with 'gwm explore', then reload this page.");
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  throw new Error(
    told.error ||
      `The server answered with the error ${response.status}. Try again; if it stays, start 'gwm explore' again.`,
  );
}

function post(path, body, signal) {
  const headers = { "Content-Type": "application/json", "X-GWM": "1", "X-GWM-Client": CLIENT };
  return answer(path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

/* What does not change while the server runs is asked for once. */
export function get(path) {
  if (!kept.has(path)) {
    const asked = answer(path).then((response) => response.json());
    asked.catch(() => kept.delete(path));
    kept.set(path, asked);
  }
  return kept.get(path);
}

export const ask = async (path, body, signal) => (await post(path, body, signal)).json();

export async function download(path, body, fallback) {
  const response = await post(path, body);
  const named = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") || "");
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = named ? named[1] : fallback;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
