import type { OpenWindow, StoredWindow, Windows } from '../../src/pipeline/ports/rotation-windows.ts';

/** Windows in memory, as the table keeps them. */
export function memoryWindows(open: Readonly<Record<string, readonly OpenWindow[]>> = {}) {
  const rows = new Map<string, StoredWindow>();
  let changes = 0;
  const put = (source: string, window: OpenWindow): string => {
    changes += 1;
    rows.set(`${source}/${window.which}`, { ...window, version: String(changes) });
    return String(changes);
  };
  for (const [source, windows] of Object.entries(open)) windows.forEach((window) => put(source, window));
  const windows: Windows = {
    read: async (source) => [...rows].filter(([key]) => key.startsWith(`${source}/`)).map(([, row]) => row),
    replace: async (source, window, version) =>
      rows.get(`${source}/${window.which}`)?.version === version ? put(source, window) : undefined,
  };
  return { rows, windows };
}
