import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

interface Answer {
  readonly begins: string;
  readonly stdout?: unknown;
  readonly stderr?: string;
  readonly code?: number;
  /** Only the first so many times. */
  readonly times?: number;
}

let folder: string;
let app: Server;
let health = 200;
beforeAll(async () => {
  app = createServer((_request, response) => response.writeHead(health).end('{"status":"ok"}'));
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
});
afterAll(() => app.close());
beforeEach(async () => {
  health = 200;
  folder = await mkdtemp(join(tmpdir(), 'az-'));
  await copyFile(join(root, 'test', 'fixtures', 'az.mjs'), join(folder, 'az'));
  await chmod(join(folder, 'az'), 0o755);
  await writeFile(join(folder, 'sources.json'), JSON.stringify({ parameters: { sources: { value: [] } } }));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

const url = (): string => `http://127.0.0.1:${(app.address() as AddressInfo).port}`;

const usual = (): Answer[] => [
  { begins: 'version', stdout: { 'azure-cli': '2.80.0' } },
  { begins: 'account show', stdout: { id: 'sub-1', name: 'Archive', state: 'Enabled' } },
  { begins: 'group exists', stdout: true },
  { begins: 'group show', stdout: { location: 'westeurope' } },
  { begins: 'group create', stdout: {} },
  { begins: 'provider show', stdout: 'Registered' },
  {
    begins: 'functionapp list-flexconsumption-locations',
    stdout: [{ name: 'West Europe' }, { name: 'northeurope' }],
  },
  { begins: 'functionapp list-flexconsumption-runtimes', stdout: [{ version: '22' }, { version: '24' }] },
  { begins: 'rest --method post', stdout: { nameAvailable: true } },
  { begins: 'rest', stdout: { value: [{ actions: ['*'], notActions: [] }] } },
  {
    begins: 'deployment group what-if',
    stdout: {
      changes: [
        { resourceId: '/s/providers/Microsoft.Web/sites/hooks/config/appsettings', changeType: 'Modify' },
        { resourceId: '/s/providers/Microsoft.Storage/storageAccounts/st1', changeType: 'NoChange' },
      ],
    },
  },
  {
    begins: 'deployment group create',
    stdout: {
      properties: {
        outputs: {
          appUrl: { value: url() },
          vaultName: { value: 'kv-1' },
          sources: { value: [{ name: 'archive', kind: 'preservica' }] },
        },
      },
    },
  },
  { begins: 'functionapp deployment source config-zip', stdout: {} },
];

async function deploy(answers: readonly Answer[] = [], args: readonly string[] = ['--yes']) {
  const calls = join(folder, 'calls');
  await writeFile(calls, '');
  await writeFile(join(folder, 'answers.json'), JSON.stringify([...answers, ...usual()]));
  const given = [
    '--resource-group',
    'rg',
    '--name',
    'hooks',
    '--parameters',
    join(folder, 'sources.json'),
    ...args,
  ];
  const { code, out } = await new Promise<{ code: number; out: string }>((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'infra', 'deploy', 'main.ts'), ...given],
      {
        env: {
          ...process.env,
          PATH: [folder, dirname(process.execPath), process.env['PATH']].join(delimiter),
          AZ_CALLS: calls,
          AZ_ANSWERS: join(folder, 'answers.json'),
          DEPLOY_ROLE_WAIT_MS: '10',
        },
      },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), out: stdout + stderr }),
    );
  });
  const made = (await readFile(calls, 'utf8')).split('\n').filter((line) => line !== '');
  return {
    code,
    out,
    calls: made.map((line) => JSON.parse(line) as { args: string[]; packageBytes?: number }),
  };
}

const commands = (calls: readonly { args: string[] }[]): string[] =>
  calls.map(({ args }) =>
    args
      .filter((each) => !each.startsWith('-'))
      .slice(0, 3)
      .join(' '),
  );
const changing =
  /^(?:group create|deployment group create|functionapp deployment|keyvault recover|provider register)/;

describe('npm run deploy', () => {
  it('looks, deploys, brings the package, and says what comes next', async () => {
    const { code, out, calls } = await deploy();
    expect(out).toContain(`${url()}/webhooks/archive`);
    expect(code).toBe(0);
    expect(out).toContain('az keyvault secret set --vault-name kv-1 -n source-archive-secret --file FILE');
    expect(out).toContain(
      'node src/cli preservica subscriptions create --trigger FULL_TEXT_INDEXED --source archive',
    );
    expect(out).toContain('Azure calls the app and its settings changed at every look');
    expect(commands(calls).filter((each) => changing.test(each))).toEqual([
      'deployment group create',
      'functionapp deployment source',
    ]);
    const zip = calls.find(({ args }) => args.includes('config-zip'));
    expect(zip?.args).toEqual(expect.arrayContaining(['-g', 'rg', '-n', 'hooks', '--build-remote', 'false']));
    expect(zip?.packageBytes).toBeGreaterThan(100_000);
    expect(zip?.packageBytes).toBeLessThan(3_000_000);
  });

  it('prints every call with --dry-run, and changes nothing', async () => {
    const { code, out, calls } = await deploy([], ['--dry-run']);
    expect(code).toBe(0);
    expect(out).toContain('az deployment group create -g rg -n hooks -f');
    expect(out).toContain(
      'az functionapp deployment source config-zip -g rg -n hooks --src app.zip --build-remote false',
    );
    expect(commands(calls).filter((each) => changing.test(each))).toEqual([]);
  });

  it('changes nothing where nobody says yes', async () => {
    const { code, out, calls } = await deploy([], []);
    expect(code).toBe(1);
    expect(out).toContain('say --yes if you mean it');
    expect(commands(calls).filter((each) => changing.test(each))).toEqual([]);
  });

  it.each<[string, Answer, RegExp]>([
    ['an old az', { begins: 'version', stdout: { 'azure-cli': '2.60.0' } }, /az upgrade/],
    [
      'nobody logged in',
      { begins: 'account show', code: 1, stderr: "Please run 'az login' to setup account." },
      /az login/,
    ],
    [
      'a subscription that is off',
      { begins: 'account show', stdout: { id: 's', name: 'Old', state: 'Disabled' } },
      /Old is Disabled/,
    ],
    [
      'a provider that is not registered',
      { begins: 'provider show -n Microsoft.KeyVault', stdout: 'NotRegistered' },
      /az provider register --wait -n Microsoft.KeyVault/,
    ],
    [
      'a region without Flex Consumption',
      { begins: 'functionapp list-flexconsumption-locations', stdout: [{ name: 'eastus' }] },
      /westeurope has no Flex Consumption; --location may be one of: eastus/,
    ],
    [
      'a region without that Node',
      { begins: 'functionapp list-flexconsumption-runtimes', stdout: [{ version: '22' }] },
      /runs Node 22, not 24: set the parameter nodeVersion/,
    ],
    [
      'no right to assign roles',
      {
        begins: 'rest',
        stdout: { value: [{ actions: ['*'], notActions: ['Microsoft.Authorization/*/Write'] }] },
      },
      /Ask an owner or a user access administrator/,
    ],
    [
      'a name that somebody else has',
      { begins: 'rest --method post', stdout: { nameAvailable: false, reason: 'AlreadyExists' } },
      /an app called hooks already/,
    ],
    [
      'a policy',
      {
        begins: 'deployment group what-if',
        code: 1,
        stderr: '(RequestDisallowedByPolicy) no public storage',
      },
      /Ask the platform team/,
    ],
  ])('stops at %s before it has changed anything', async (_what, answer, said) => {
    const { code, out, calls } = await deploy([answer]);
    expect(code).toBe(1);
    expect(out).toMatch(said);
    expect(commands(calls).filter((each) => changing.test(each))).toEqual([]);
  });

  it('makes a group that is not there, where somebody says where', async () => {
    const missing = { begins: 'group exists', stdout: false };
    const nowhere = await deploy([missing]);
    expect(nowhere.code).toBe(1);
    expect(nowhere.out).toContain('--location');
    const { code, calls } = await deploy([missing], ['--yes', '--location', 'northeurope']);
    expect(code).toBe(0);
    expect(commands(calls).find((each) => changing.test(each))).toBe('group create rg');
  });

  it('takes the name of an app that it made itself for free', async () => {
    const taken = { begins: 'rest --method post', stdout: { nameAvailable: false } };
    const ours = { begins: 'functionapp show -g rg -n hooks', stdout: { name: 'hooks' } };
    expect((await deploy([taken, ours])).code).toBe(0);
  });

  it('recovers a vault that was deleted with its group, and refuses one of another group', async () => {
    const whatIf = {
      begins: 'deployment group what-if',
      stdout: {
        changes: [{ resourceId: '/s/providers/Microsoft.KeyVault/vaults/kv-1', changeType: 'Create' }],
      },
    };
    const deleted = (group: string): Answer => ({
      begins: 'keyvault list-deleted',
      stdout: [
        {
          name: 'kv-1',
          properties: {
            vaultId: `/subscriptions/s/resourceGroups/${group}/providers/x`,
            location: 'westeurope',
          },
        },
      ],
    });
    const recovered = await deploy([whatIf, deleted('RG'), { begins: 'keyvault recover', stdout: {} }]);
    expect(recovered.code).toBe(0);
    expect(commands(recovered.calls).filter((each) => changing.test(each))[0]).toBe('keyvault recover kv-1');
    const other = await deploy([whatIf, deleted('another')]);
    expect(other.code).toBe(1);
    expect(other.out).toContain('Choose another --name');
  });

  it('tries the package again until the role of the app works', async () => {
    const refused = {
      begins: 'functionapp deployment source config-zip',
      code: 1,
      stderr: 'BlobUploadFailedException: 403 AuthorizationPermissionMismatch',
      times: 2,
    };
    const { code, calls } = await deploy([refused]);
    expect(code).toBe(0);
    expect(calls.filter(({ args }) => args.includes('config-zip'))).toHaveLength(3);
  });

  it('stops at the first thing that fails', async () => {
    const failed = {
      begins: 'deployment group create',
      code: 1,
      stderr: '(AuthorizationFailed) roleAssignments/write',
    };
    const { code, out, calls } = await deploy([failed]);
    expect(code).toBe(1);
    expect(out).toContain('You may not assign roles here');
    expect(calls.some(({ args }) => args.includes('config-zip'))).toBe(false);
  });
});
