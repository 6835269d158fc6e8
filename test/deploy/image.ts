import { ECRClient, PutImageCommand } from '@aws-sdk/client-ecr';
import type { WorkerSize } from '../../infra/config.ts';
import { imageMonth, imageTag } from '../../infra/image.ts';
import { nameOf } from '../../infra/names.ts';

/**
 * Puts an image without content under the tag of this worker into a stage's repository, as if it had
 * been pushed by hand: the emulator has no registry that an engine could push to.
 */
export async function pushByHand(
  stage: string,
  architecture: WorkerSize['architecture'] = 'X86_64',
): Promise<void> {
  const digest = `sha256:${'0'.repeat(64)}`;
  const type = 'application/vnd.docker.distribution.manifest.v2+json';
  const config = { mediaType: 'application/vnd.docker.container.image.v1+json', size: 2, digest };
  const manifest = { schemaVersion: 2, mediaType: type, config, layers: [] };
  const ecr = new ECRClient();
  const image = {
    repositoryName: nameOf(stage, 'worker'),
    imageTag: imageTag(architecture, imageMonth()),
  };
  await ecr.send(new PutImageCommand({ ...image, imageManifest: JSON.stringify(manifest) }));
  ecr.destroy();
}
