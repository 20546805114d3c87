// What this browser remembers: how the page looks, never what it shows.

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(`ramal.${key}`);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`ramal.${key}`, value);
  } catch {
    // A private window may refuse; then it lasts for this visit.
  }
}
