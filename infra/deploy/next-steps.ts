/** What was deployed, as the next steps need it. */
export interface Deployed {
  readonly url: string;
  readonly vault: string;
  readonly sources: readonly { readonly name: string; readonly kind: string }[];
}

/** The secrets of a source in the vault, by its kind, and what each is. */
const secretsOf: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  preservica: [
    ['secret', 'the shared secret of its subscriptions, of your choice: 16 characters or more'],
    ['password', 'the password of the account'],
  ],
  woodwing: [
    ['secret', 'the token of its webhook, which WoodWing Assets shows once'],
    ['password', 'the password of the account'],
  ],
  pywebhooks: [],
};

const subscribe: Readonly<Record<string, string>> = {
  preservica: 'preservica subscriptions create --trigger FULL_TEXT_INDEXED',
  woodwing: 'woodwing webhooks create',
  pywebhooks: 'pywebhooks account create',
};

/** What comes next, as it is typed. */
export function nextSteps({ url, vault, sources }: Deployed): string[] {
  return [
    '',
    `The app is at ${url}. Its sources call:`,
    ...sources.map(({ name }) => `  ${name.padEnd(16)} ${url}/webhooks/${name}`),
    '',
    '1. Put the secrets into the vault. You need the role "Key Vault Secrets Officer" on it; az asks for no value that is in a file:',
    ...sources.flatMap(({ name, kind }) =>
      (secretsOf[kind] ?? []).map(
        ([secret, what]) =>
          `   az keyvault secret set --vault-name ${vault} -n source-${name}-${secret} --file FILE   # ${what}`,
      ),
    ),
    '2. Tell the command where the app is, and give it a function key:',
    `   export ASSET_WEBHOOKS_URL=${url}`,
    '   export ASSET_WEBHOOKS_KEY=…   # the Azure portal shows it under "App keys"',
    '3. Create the subscriptions:',
    ...sources.map(({ name, kind }) => `   node src/cli ${subscribe[kind] ?? ''} --source ${name}`),
    '4. See whether all is well:',
    '   node src/cli doctor',
  ];
}
