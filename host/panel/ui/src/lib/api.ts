// Asking the host. The page uses its public API and nothing else.

export interface Problem {
  code: string;
  status: number;
  detail?: string;
  hint?: string | null;
}

const isProblem = (value: unknown): value is Problem =>
  typeof value === "object" && value !== null && typeof (value as Problem).code === "string";

/** What went wrong, as a problem of the API; `network` when there was no answer that could be read. */
export const problemOf = (met: unknown): Problem => (isProblem(met) ? met : { code: "network", status: 0 });

let onLocked = (): void => {};
/** Calls back when the session is over. */
export function whenLocked(then: () => void): void {
  onLocked = then;
}

async function ask<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const asked: RequestInit = { method, headers: { accept: "application/json", ...headers } };
  if (body !== undefined) {
    asked.headers = { ...asked.headers, "content-type": "application/json" };
    asked.body = JSON.stringify(body);
  }
  let answer: Response;
  try {
    answer = await fetch(path, asked);
  } catch {
    throw { code: "network", status: 0 } satisfies Problem;
  }
  if (answer.status === 204) return undefined as T;
  const read: unknown = await answer.json().catch(() => null);
  if (answer.ok) return read as T;
  if (answer.status === 401) onLocked();
  throw isProblem(read) ? read : ({ code: "network", status: answer.status } satisfies Problem);
}

export const get = <T>(path: string): Promise<T> => ask<T>("GET", path);
export const post = <T>(path: string, body: unknown = {}, key?: string): Promise<T> =>
  ask<T>("POST", path, body, key ? { "idempotency-key": key } : {});
export const put = <T>(path: string, body: unknown, key?: string): Promise<T> =>
  ask<T>("PUT", path, body, key ? { "idempotency-key": key } : {});
export const remove = <T>(path: string): Promise<T> => ask<T>("DELETE", path);

/** `/v1/x` with the parameters that have a value. */
export function query(path: string, parameters: Record<string, string | null | undefined>): string {
  const wanted = Object.entries(parameters).filter((pair): pair is [string, string] => Boolean(pair[1]));
  return wanted.length > 0 ? `${path}?${new URLSearchParams(wanted)}` : path;
}

export const interaction = (id: string, rest = ""): string => `/v1/interactions/${encodeURIComponent(id)}${rest}`;
