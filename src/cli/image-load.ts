// keks image load: an image archive for all nodes.
import { access, constants } from 'node:fs/promises';
import { resolve } from 'node:path';
import { homeOf } from '#fleet/home.ts';
import { askDaemon } from './daemon.ts';
import { CommandFailure } from './failure.ts';
import type { OutputFormat } from './output.ts';
import { print } from './output.ts';

export async function imageLoad(path: string, { output }: { output: OutputFormat }): Promise<void> {
  const file = resolve(path);
  await access(file, constants.R_OK).catch((error: unknown) => {
    throw new CommandFailure(`cannot read ${file}`, 1, { cause: error });
  });
  const { images } = (await askDaemon(homeOf(), '/-/images', { file })) as { images: string[] };
  print(output, { images }, () => images.map((image) => `Loaded ${image}`).join('\n'));
}
