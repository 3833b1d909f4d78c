import * as z from 'zod';
import { DeployError, type Az } from './az.ts';

export interface Target {
  readonly resourceGroup: string;
  readonly name: string;
  /** Undefined where the resource group is there, and says it. */
  readonly location: string | undefined;
  readonly nodeVersion: string;
  readonly wantsNetwork: boolean;
}

/** What is known before anything is changed. */
export interface Found {
  readonly subscription: { readonly id: string; readonly name: string };
  readonly location: string;
  readonly groupExists: boolean;
  /** What may go wrong all the same. */
  readonly warnings: readonly string[];
}

const oldestCli = [2, 77];
const providers = [
  'Microsoft.Web',
  'Microsoft.Storage',
  'Microsoft.KeyVault',
  'Microsoft.Insights',
  'Microsoft.OperationalInsights',
  'Microsoft.ManagedIdentity',
  'Microsoft.AlertsManagement',
];

const Account = z.object({ id: z.string(), name: z.string(), state: z.string() });
const Version = z.looseObject({ 'azure-cli': z.string() });
const Named = z.array(z.looseObject({ name: z.string() }));
const Runtimes = z.array(z.looseObject({ version: z.string() }));
const NameCheck = z.looseObject({ nameAvailable: z.boolean() });
const Permissions = z.object({
  value: z.array(
    z.looseObject({ actions: z.array(z.string()), notActions: z.array(z.string()).default([]) }),
  ),
});

/** Finds out what would keep a deployment from succeeding. Throws a DeployError that names all of it, and whom to ask. */
export async function preflight(target: Target, az: Az): Promise<Found> {
  const version = Version.parse(await az.read(['version'], 'The Azure CLI does not run'))['azure-cli'];
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < (oldestCli[0] ?? 0) || (major === oldestCli[0] && minor < (oldestCli[1] ?? 0)))
    throw new DeployError(
      `The Azure CLI is ${version}; at least ${oldestCli.join('.')} is wanted: az upgrade`,
    );
  const account = Account.parse(await az.read(['account', 'show'], 'Nobody is logged in'));
  if (account.state !== 'Enabled')
    throw new DeployError(
      `The subscription ${account.name} is ${account.state}: az account set --subscription NAME`,
    );

  const groupExists =
    (await az.read(['group', 'exists', '-n', target.resourceGroup], 'The resource group')) === true;
  const location = await locationOf(target, groupExists, az);
  const faults: string[] = [];
  const warnings: string[] = [];
  for (const provider of [
    ...providers,
    ...(target.wantsNetwork ? ['Microsoft.Network', 'Microsoft.App'] : []),
  ]) {
    const state = await az.ask([
      'provider',
      'show',
      '-n',
      provider,
      '--query',
      'registrationState',
      '-o',
      'tsv',
    ]);
    if (state.stdout.trim() !== 'Registered')
      faults.push(`The provider ${provider} is not registered: az provider register --wait -n ${provider}`);
  }
  const regions = Named.parse(
    await az.read(['functionapp', 'list-flexconsumption-locations'], 'The regions of Flex Consumption'),
  ).map(({ name }) => squeezed(name));
  if (!regions.includes(squeezed(location)))
    faults.push(`${location} has no Flex Consumption; --location may be one of: ${regions.join(', ')}`);
  else {
    const runtimes = await az.read(
      ['functionapp', 'list-flexconsumption-runtimes', '-l', location, '--runtime', 'node'],
      'The versions of Node there',
    );
    const versions = Runtimes.parse(runtimes).map((each) => each.version);
    if (!versions.includes(target.nodeVersion))
      faults.push(
        `${location} runs Node ${versions.join(' and ') || 'in no version'}, not ${target.nodeVersion}: set the parameter nodeVersion.`,
      );
  }
  if (await isNameTaken(target, { groupExists, subscription: account.id }, az))
    faults.push(
      `Somebody has an app called ${target.name} already, and its name is a part of its address. Choose another --name.`,
    );
  if (groupExists && !(await mayAssignRoles(target, account.id, az)))
    faults.push(
      `You may not assign roles in ${target.resourceGroup}. Ask an owner or a user access administrator of it for the role "Role Based Access Control Administrator".`,
    );
  if (!groupExists)
    warnings.push(
      `The resource group ${target.resourceGroup} does not exist yet. Whether you may assign roles in it is seen only then.`,
    );
  if (faults.length > 0) throw new DeployError(faults.join('\n'));
  return { subscription: account, location, groupExists, warnings };
}

async function locationOf({ resourceGroup, location }: Target, exists: boolean, az: Az): Promise<string> {
  if (location !== undefined) return location;
  if (!exists)
    throw new DeployError(
      `There is no resource group ${resourceGroup}: say with --location where it is to be.`,
    );
  const group = await az.read(['group', 'show', '-n', resourceGroup], 'The resource group');
  return z.object({ location: z.string() }).parse(group).location;
}

/** True where an app has that name that is not ours in this group. */
async function isNameTaken(
  { resourceGroup, name }: Target,
  { groupExists, subscription }: { groupExists: boolean; subscription: string },
  az: Az,
): Promise<boolean> {
  const url = `/subscriptions/${subscription}/providers/Microsoft.Web/checkNameAvailability?api-version=2025-03-01`;
  const body = JSON.stringify({ name, type: 'Microsoft.Web/sites' });
  const answer = await az.read(
    ['rest', '--method', 'post', '--url', url, '--body', body],
    `Whether the name ${name} is free`,
  );
  if (NameCheck.parse(answer).nameAvailable) return false;
  return !groupExists || (await az.ask(['functionapp', 'show', '-g', resourceGroup, '-n', name])).code !== 0;
}

async function mayAssignRoles({ resourceGroup }: Target, subscription: string, az: Az): Promise<boolean> {
  const url = `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01`;
  const { value } = Permissions.parse(
    await az.read(['rest', '--method', 'get', '--url', url], 'Your rights'),
  );
  const wanted = 'Microsoft.Authorization/roleAssignments/write';
  return value.some(
    ({ actions, notActions }) =>
      actions.some((each) => fits(each, wanted)) && !notActions.some((each) => fits(each, wanted)),
  );
}

/** True where an action with wildcards is that one, too. */
function fits(pattern: string, action: string): boolean {
  const expression = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '.*');
  return new RegExp(`^${expression}$`, 'i').test(action);
}

function squeezed(region: string): string {
  return region.replaceAll(' ', '').toLowerCase();
}

const Deleted = z.array(
  z.looseObject({
    name: z.string(),
    properties: z.looseObject({ vaultId: z.string(), location: z.string() }),
  }),
);

/** Brings back a vault of that name that an earlier deployment left behind deleted; the same name cannot be made anew. */
export async function recoverVault(vault: string, { resourceGroup }: Target, az: Az): Promise<void> {
  const args = ['keyvault', 'list-deleted', '--resource-type', 'vault', '--query', `[?name=='${vault}']`];
  const [deleted] = Deleted.parse(await az.read(args, 'Vaults that were deleted'));
  if (deleted === undefined) return;
  const { vaultId, location } = deleted.properties;
  if (!vaultId.toLowerCase().includes(`/resourcegroups/${resourceGroup.toLowerCase()}/`))
    throw new DeployError(
      `The vault ${vault} was deleted in another resource group (${vaultId}), and keeps its name for some time. Choose another --name.`,
    );
  await az.change(
    ['keyvault', 'recover', '-n', vault, '-g', resourceGroup, '-l', location],
    `The deleted vault ${vault} could not be recovered`,
  );
}
