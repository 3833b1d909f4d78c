import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../../src/local/build.ts';

const root = join(import.meta.dirname, '..', '..');
let bundle: string;
beforeAll(async () => {
  bundle = await ensureBuilt();
});

describe('the map beside the bundle', () => {
  it('leads a debugger to the sources', async () => {
    expect((await readFile(bundle, 'utf8')).trimEnd().split('\n').at(-1)).toBe(
      '//# sourceMappingURL=index.js.map',
    );
    const { sources } = JSON.parse(await readFile(`${bundle}.map`, 'utf8')) as { sources: string[] };
    const own = sources.filter((source) => source.startsWith('../src/'));
    expect(own).toContain('../src/functions/webhooks.ts');
    for (const source of own) expect(existsSync(join(dirname(bundle), source))).toBe(true);
  });

  it('is not deployed', async () => {
    const rules = (await readFile(join(root, '.funcignore'), 'utf8')).trim().split('\n');
    expect(rules.indexOf('dist/*.map')).toBeGreaterThan(rules.indexOf('!dist/**'));
  });
});
