import * as z from 'zod';

const WhatIf = z.looseObject({
  changes: z.array(z.looseObject({ resourceId: z.string(), changeType: z.string() })).default([]),
});

// Azure calls them changed at every look, whatever is in them.
const alwaysChanged = /\/(?:config\/appsettings|sites\/[^/]+)$/i;

/** What a deployment would change, one line a resource. */
export function changesOf(whatIf: unknown): { lines: string[]; noise: number; vaultsToMake: string[] } {
  const { changes } = WhatIf.parse(whatIf);
  const real = changes.filter(({ changeType }) => !['Ignore', 'NoChange'].includes(changeType));
  const noise = real.filter(
    ({ resourceId, changeType }) => changeType === 'Modify' && alwaysChanged.test(resourceId),
  );
  const lines = real
    .filter((each) => !noise.includes(each))
    .map(({ resourceId, changeType }) => `${changeType.padEnd(12)} ${nameOf(resourceId)}`);
  const vaultsToMake = real
    .filter(({ changeType }) => changeType === 'Create')
    .flatMap(({ resourceId }) => /\/Microsoft\.KeyVault\/vaults\/([^/]+)$/i.exec(resourceId)?.[1] ?? []);
  return { lines, noise: noise.length, vaultsToMake };
}

function nameOf(resourceId: string): string {
  return resourceId.split('/providers/').slice(1).join('/providers/') || resourceId;
}
