// Where one is: behind the `#` of the address, so that the server knows one page only and every place can be linked.

export interface Place {
  /** The parts of the path: `#/history/abc` is `["history", "abc"]`. */
  parts: string[];
  query: URLSearchParams;
}

export function parse(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const parts = path.split("/").filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { parts, query: new URLSearchParams(query) };
}

let current = $state.raw<Place>(parse(location.hash));
addEventListener("hashchange", () => {
  current = parse(location.hash);
});

export const place = (): Place => current;

/** An address of the page; `null` and empty values are left out. */
export function at(parts: string[], query: Record<string, string | null | undefined> = {}): string {
  const wanted = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]));
  const tail = wanted.length > 0 ? `?${new URLSearchParams(wanted)}` : "";
  return `#/${parts.map(encodeURIComponent).join("/")}${tail}`;
}

/** Goes there; `replace` leaves no step for the browser's way back. */
export function go(hash: string, replace = false): void {
  if (replace) {
    history.replaceState(null, "", hash);
    current = parse(hash);
  } else location.hash = hash;
}
