import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { program } from '../../src/cli/program.ts';
import { typed } from '../../src/cli/typed.ts';
import manifest from '../../package.json' with { type: 'json' };
import { runCommand, startCommand } from '../support/command.ts';

const root = join(import.meta.dirname, '..', '..');
const env = { SOURCES: 'archive', SOURCE_ARCHIVE_KIND: 'preservica' };
const steering = /[^\P{Cc}\n]|[\u2028-\u202e\u2066-\u2069]/u;

it('says its version', async () => {
  expect(await runCommand(['--version'], { env: {} })).toMatchObject({
    code: 0,
    stdout: `${manifest.version}\n`,
    stderr: '',
  });
});

it('begins every help with what the command does', () => {
  const descriptions = (command: Command): string[] => [
    command.description(),
    ...command.commands.flatMap(descriptions),
  ];
  for (const description of descriptions(program())) expect(description).toMatch(/^[A-Z][a-z]+ [a-zA-Z]/);
});

it('names the sources that there are where another is asked for', async () => {
  const more = {
    ...env,
    SOURCE_ARCHIVE_URL: 'http://127.0.0.1:9',
    SOURCE_ARCHIVE_USERNAME: 'app@example.test',
  };
  const ran = await runCommand(['preservica', 'subscriptions', 'list', '--source', 'archiv'], { env: more });
  expect(ran).toMatchObject({ code: 2, stdout: '' });
  expect(ran.stderr).toBe(
    'There is no source "archiv" of kind preservica in SOURCES. There are: archive. Did you mean archive?\n',
  );
});

describe('what was typed', () => {
  const odd = '\u001b]0;title\u0007\u001b[31m\u009b2J\u202egnihton\u2028';

  it.each([
    ['an unknown command', [odd]],
    ['an unknown option', ['events', 'list', `--${odd}`]],
    ['a choice that is none', ['events', 'list', '--state', odd]],
    ['too many arguments', ['events', 'show', 'one', odd]],
    ['a source that is not there', ['preservica', 'subscriptions', 'list', '--source', odd]],
    ['a number that is none', ['events', 'list', '--limit', odd]],
    ['an id that is none', ['preservica', 'subscriptions', 'delete', odd]],
    ['a trigger that is none', ['preservica', 'subscriptions', 'create', '--trigger', odd]],
    ['an address that is none', ['woodwing', 'webhooks', 'create', '--url', odd]],
  ])('never steers the terminal: %s', async (_what, args) => {
    const ran = await runCommand(args, { env });
    expect(ran.code).toBe(2);
    expect(ran.stderr).not.toBe('');
    expect(ran.stdout + ran.stderr).not.toMatch(steering);
  });

  it('never does so in a process of its own', async () => {
    const { code, stderr } = await startCommand([odd], { env: {} });
    expect(code).toBe(2);
    expect(stderr).not.toMatch(steering);
  });
});

describe('how it is typed', () => {
  it('is what its own help says, and runs', async () => {
    const [runner = '', ...args] = typed('events --help').split(' ');
    const help = execFileSync(runner, args, { cwd: root, encoding: 'utf8' });
    expect(help).toContain(`Usage: ${typed('events')}`);
    expect((await runCommand(['--help'], { env: {} })).stdout).toContain(`Usage: ${typed('')}`);
  });

  it('is the same in every sentence, and never by what asks a registry', () => {
    const files = execFileSync('git', ['ls-files', 'src'], { cwd: root, encoding: 'utf8' })
      .trim()
      .split('\n')
      .filter((file) => /\.(?:ts|mjs|md)$/.test(file));
    const others =
      /npx asset-webhooks|(?<!cli\/)asset-webhooks(?:\.mjs)? [a-z]|"(?:preservica|woodwing|pywebhooks) [a-z]/;
    const found = files.filter((file) => others.test(readFileSync(join(root, file), 'utf8')));
    expect(found).toEqual([]);
  });

  it('puts an id into a command by the way that quotes it, never as a part of the words', () => {
    const files = execFileSync('git', ['ls-files', 'src/cli'], { cwd: root, encoding: 'utf8' })
      .trim()
      .split('\n');
    const found = files.filter((file) =>
      /\btyped\(\s*`[^`]*\$\{/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(found).toEqual([]);
  });
});
