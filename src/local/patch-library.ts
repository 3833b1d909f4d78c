import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

const proxiedRequests = join(import.meta.dirname, '..', 'functions', 'proxied-requests.ts');

/** Text of the library at its pinned version, and what stands in its place in the bundle. */
const patches: readonly { readonly what: string; readonly from: string; readonly to: string }[] = [
  {
    what: 'the tables of requests and responses',
    from: `const requests = {};
const responses = {};`,
    to: `const { proxiedRequests } = require(${JSON.stringify(proxiedRequests)});`,
  },
  {
    what: 'the wait for the request of an invocation, which has no end',
    from: `        return new Promise((resolve, _reject) => {
            const req = requests[invocationId];
            if (req) {
                resolve(req);
                delete requests[invocationId];
            }
            else {
                invocRequestEmitter.once(invocationId, () => {
                    const req = requests[invocationId];
                    if (req) {
                        resolve(req);
                        delete requests[invocationId];
                    }
                });
            }
        });`,
    to: `        return yield proxiedRequests.requestOf(invocationId);`,
  },
  {
    what: 'the arrival of a request, which emits the name that the caller gives',
    from: `            server.on('request', (req, res) => {
                const invocationId = req.headers[invocationIdHeader];
                if (typeof invocationId === 'string') {
                    requests[invocationId] = req;
                    responses[invocationId] = res;
                    invocRequestEmitter.emit(invocationId);
                }
                else {
                    (0, workerSystemLog_1.workerSystemLog)('error', \`Http proxy request missing header \${invocationIdHeader}\`);
                }
            });`,
    to: `            server.on('request', (req, res) => proxiedRequests.arrived(req, res));`,
  },
  {
    what: 'the response of an invocation',
    from: `        const proxyRes = (0, nonNull_1.nonNullProp)(responses, invocationId);
        delete responses[invocationId];`,
    to: `        const proxyRes = proxiedRequests.takeResponse(invocationId);`,
  },
  {
    what: 'the address of a request, in which the forwarded host can change the path',
    from: `    const url = \`\${proto}://\${host}\${(0, nonNull_1.nonNullProp)(proxyReq, 'url')}\`;`,
    to: `    const url = \`http://localhost\${(0, nonNull_1.nonNullProp)(proxyReq, 'url')}\`;`,
  },
  {
    what: 'the headers of a request, which its body and query can replace',
    from: `    const headersData = (0, fromRpcTypedData_1.fromRpcTypedData)(rpcHeaders);
    if (typeof headersData === 'object' && (0, nonNull_1.isDefined)(headersData)) {
        headers = headersData;
    }`,
    to: `    headers = proxyReq.headers;`,
  },
];

/** The library's text with every patch made. Throws where one does not fit any more. */
export function patched(library: string): string {
  return patches.reduce((text, { what, from, to }) => {
    const parts = text.split(from);
    if (parts.length !== 2)
      throw new Error(
        `@azure/functions has changed: ${what} cannot be patched. See src/local/patch-library.ts.`,
      );
    return parts.join(to);
  }, library);
}

/** Bundles `@azure/functions` with what it takes from a caller's headers, body and query made safe. */
export const patchLibrary: Plugin = {
  name: 'patch-library',
  setup(build) {
    let found = false;
    build.onLoad(
      { filter: /[\\/]@azure[\\/]functions[\\/]dist[\\/]azure-functions\.js$/ },
      async ({ path }) => {
        found = true;
        return { contents: patched(await readFile(path, 'utf8')), loader: 'js' };
      },
    );
    build.onEnd(() =>
      found
        ? undefined
        : { errors: [{ text: '@azure/functions was bundled from a file that is not patched.' }] },
    );
  },
};
