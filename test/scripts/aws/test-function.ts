import { text } from 'node:stream/consumers';
import type { EdgeEvent } from '../../../edge/event.ts';
import { loadEdgeFunction } from '../../../edge/local/edge-function.ts';
import type { EdgeFunction } from '../../../edge/local/edge-function.ts';
import type { Instead } from '../../aws/relay.ts';

const TESTED = /^\/2020-05-31\/function\/([\w-]+)\/test$/;

/**
 * CloudFront's TestFunction, in the engine of the local edge, for functions that an emulator keeps. `changed`
 * may answer differently, or with an error.
 */
export function testFunction(
  emulator: string,
  changed: (output: string, event: EdgeEvent) => string | Error = (output) => output,
): Instead {
  const loaded = new Map<string, EdgeFunction>();
  const load = async (name: string) => {
    const code = await (await fetch(`${emulator}/2020-05-31/function/${name}`)).text();
    const found = loaded.get(code) ?? loadEdgeFunction(code);
    loaded.set(code, found);
    return found;
  };
  return (request, response) => {
    const [, name] = TESTED.exec(request.url ?? '') ?? [];
    if (name === undefined) return false;
    const answer = async () => {
      const [, encoded = ''] = /<EventObject>(.*)<\/EventObject>/s.exec(await text(request)) ?? [];
      const event = JSON.parse(Buffer.from(encoded, 'base64').toString()) as EdgeEvent;
      const output = changed(outputOf((await load(name))(event), event), event);
      const [said, message] = typeof output === 'string' ? [output, ''] : ['', output.message];
      response.writeHead(200, { 'content-type': 'text/xml' });
      response.end(
        `<TestResult><ComputeUtilization>21</ComputeUtilization><FunctionErrorMessage>${message}</FunctionErrorMessage>` +
          `<FunctionOutput>${said.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</FunctionOutput></TestResult>`,
      );
    };
    answer().catch((error: unknown) => response.destroy(error as Error));
    return true;
  };
}

function outputOf(answer: ReturnType<EdgeFunction>, { request }: EdgeEvent): string {
  if (answer.kind === 'request') {
    return JSON.stringify({ request: { ...request, uri: answer.uri } });
  }
  const { status, headers, body } = answer.reply;
  const values = Object.entries(headers).map(([name, value]) => [name, { value }] as const);
  const response = { statusCode: status, statusDescription: '', cookies: {} };
  return JSON.stringify({
    response: { ...response, headers: Object.fromEntries(values), ...(body ? { body } : {}) },
  });
}
