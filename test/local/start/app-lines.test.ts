import { EventEmitter } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { expect, it, vi } from 'vitest';
import { showProblems } from '../../../src/local/start/app-lines.ts';

it('shows warnings and errors of the app, and finds the faults of its settings, whatever runs it', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const faults: string[] = [];
  const app = Object.assign(new EventEmitter(), { stdout: new PassThrough(), stderr: new PassThrough() });
  showProblems(app as unknown as ChildProcess, (found) => faults.push(...found));
  app.stdout.write('{"event":"delivery-kept"}\n[2026-01-05T09:08:07.065Z] a warning\u001b[2J\n');
  app.stderr.write('The function x cannot be started\n');
  app.stdout.write('[09:08] {"event":"settings-faulty","faults":"A: x | B: y","level":"error"}\n');
  await vi.waitFor(() => expect(faults).toEqual(['A: x', 'B: y']));
  await vi.waitFor(() => expect(said.mock.calls).toHaveLength(2));
  const lines = said.mock.calls
    .map(([line]) => String(line))
    .toSorted((one, other) => one.length - other.length);
  expect(lines[0]).toBe('  app: The function x cannot be started');
  expect(lines[1]).toBe('  app: [2026-01-05T09:08:07.065Z] a warning\ufffd[2J');
  said.mockRestore();
});
