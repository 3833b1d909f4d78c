import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');

/** For `node --import`: the channel to us closes however we end, SIGKILL included. */
export const endsWithParent = "data:text/javascript,process.on('disconnect',()=>process.exit())";

/** What runs the app on this machine: Azure's own tools where they are, else the small host of this project. */
export function whatRunsTheApp(): {
  words: string;
  start(port: number, env: NodeJS.ProcessEnv): ChildProcess;
} {
  const func = programOnPath('func');
  if (func !== undefined) {
    const shell = process.platform === 'win32';
    return {
      words: 'The app runs under Azure Functions Core Tools (func start).',
      start: (port, env) =>
        spawn(func, ['start', '--port', String(port)], {
          cwd: root,
          env,
          stdio: ['ignore', 'pipe', 'pipe'],
          shell,
        }),
    };
  }
  const main = join(root, 'src', 'local', 'host', 'main.ts');
  return {
    words:
      'The app runs under the small host of this project, because Azure Functions Core Tools (func) are not on the PATH.',
    start: (port, env) =>
      spawn(process.execPath, ['--import', endsWithParent, main, '--port', String(port)], {
        cwd: root,
        env,
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        // A group of its own: Ctrl-C would otherwise reach it twice, which ends it at once.
        detached: true,
      }),
  };
}

function programOnPath(name: string): string | undefined {
  const names = process.platform === 'win32' ? [`${name}.cmd`, `${name}.exe`] : [name];
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders
    .flatMap((folder) => names.map((each) => join(folder, each)))
    .find((file) => existsSync(file));
}
