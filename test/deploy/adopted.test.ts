import { CreateRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import { beforeAll, describe, expect, test } from 'vitest';
import { stage } from '../../infra/config.ts';
import { nameOf } from '../../infra/names.ts';
import { useEmulator, whyNoEmulator } from '../aws/emulator.ts';
import { synth } from '../infra/synth.ts';
import { terraform, whyNoTerraform } from './terraform.ts';

const why = whyNoTerraform() ?? whyNoEmulator;
const MINE = stage({ name: 'mine', region: 'eu-central-1', allowedSites: ['https://my.site'] });
const name = nameOf('mine', 'worker');

describe.skipIf(why)(`Leftovers of a killed deploy${why ? ` (skipped: ${why})` : ''}`, () => {
  const emulator = useEmulator();
  beforeAll(async () => {
    const ecr = new ECRClient();
    await ecr.send(new CreateRepositoryCommand({ repositoryName: name }));
    ecr.destroy();
  });

  /** Creates the repository alone, as the whole storage stack takes a minute. */
  async function apply(adopted: Parameters<typeof synth>[2]): Promise<string> {
    const directory = synth([MINE], emulator.endpoint, adopted).get('mine-storage')?.directory;
    if (directory === undefined) throw new Error('There is no storage.');
    await terraform(directory, ['init', '-input=false']);
    const target = '-target=aws_ecr_repository.worker-images';
    return terraform(directory, ['apply', '-auto-approve', target]);
  }

  test('A resource of a killed deploy blocks the next one unless Terraform imports it', async () => {
    await expect(apply([])).rejects.toThrow('RepositoryAlreadyExistsException');
    const said = await apply([{ type: 'aws_ecr_repository', name, id: name }]);
    expect(said).toMatch(/Apply complete! Resources: 1 imported, 0 added, \d changed, 0 destroyed/);
  });
});
